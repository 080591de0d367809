package treeswap;

import com.cloudbees.groovy.cps.CpsTransformer;
import com.cloudbees.groovy.cps.NonCPS;
import com.cloudbees.groovy.cps.SandboxCpsTransformer;
import groovy.lang.GroovyClassLoader;
import groovy.lang.GroovyCodeSource;
import groovy.lang.Script;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.codehaus.groovy.control.customizers.ImportCustomizer;

/** Compiles the job's script and the library's variables as Jenkins does. */
final class Scripts {
    final GroovyClassLoader loader;
    private final Path library;

    Scripts(Path library, boolean sandbox) {
        this.library = library;
        CompilerConfiguration configuration = new CompilerConfiguration();
        configuration.setSourceEncoding(StandardCharsets.UTF_8.name());
        configuration.setScriptBaseClass(PipelineScript.class.getName());
        ImportCustomizer imports = new ImportCustomizer();
        imports.addStarImports(NonCPS.class.getPackage().getName(), "org.jenkinsci.plugins.workflow.libs");
        configuration.addCompilationCustomizers(imports, sandbox ? new SandboxCpsTransformer() : new CpsTransformer());
        loader = new GroovyClassLoader(Scripts.class.getClassLoader(), configuration);
    }

    Script job(String text) throws ReflectiveOperationException {
        return instance(loader.parseClass(new GroovyCodeSource(text, "WorkflowScript.groovy", "/job")));
    }

    /** null where the library has no such variable */
    Script variable(String name) throws IOException, ReflectiveOperationException {
        File file = library.resolve("vars/" + name + ".groovy").toFile();
        if (!file.isFile()) return null;
        String text = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
        return instance(loader.parseClass(new GroovyCodeSource(text, name + ".groovy", "/library")));
    }

    private static Script instance(Class<?> type) throws ReflectiveOperationException {
        return (Script) type.getDeclaredConstructor().newInstance();
    }
}
