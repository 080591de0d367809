import groovy.json.JsonOutput
import groovy.xml.XmlUtil
import org.codehaus.groovy.control.CompilerConfiguration
import org.kohsuke.groovy.sandbox.SandboxTransformer

// Main.groovy SCRIPT WORKSPACE: runs a seed script as Job DSL would, and prints one JSON document: what it made, as
// config.xml by name, and every call outside of Job DSL that the sandbox checked.
def (script, workspace) = [args[0], args[1]]
def configuration = new CompilerConfiguration(scriptBaseClass: DslScript.name)
configuration.addCompilationCustomizers(new SandboxTransformer())
def seed = (DslScript) new GroovyShell(Main.classLoader, new Binding(), configuration).parse(new File(script))
def sandbox = new Sandbox()
sandbox.register()
def made
try {
    made = seed.runIn(new File(workspace))
} catch (Exception problem) {
    println JsonOutput.toJson([problem: problem.class.simpleName + ': ' + problem.message])
    return
} finally {
    sandbox.unregister()
}
println JsonOutput.toJson([items: made.collectEntries { [it.key, XmlUtil.serialize(it.value)] }, calls: sandbox.calls])
