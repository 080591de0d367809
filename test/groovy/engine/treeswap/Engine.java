package treeswap;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.CpsDefaultGroovyMethods;
import com.cloudbees.groovy.cps.CpsDefaultGroovyStaticMethods;
import com.cloudbees.groovy.cps.CpsStringGroovyMethods;
import com.cloudbees.groovy.cps.Env;
import com.cloudbees.groovy.cps.Envs;
import com.cloudbees.groovy.cps.Outcome;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import com.cloudbees.groovy.cps.sandbox.DefaultInvoker;
import com.cloudbees.groovy.cps.sandbox.SandboxInvoker;
import groovy.lang.Binding;
import groovy.lang.Closure;
import groovy.lang.Script;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs a job's script under the engine that Jenkins runs. At every step the whole program is serialized, thrown away,
 * deserialized and resumed.
 */
final class Engine {
    private static final List<Class> CATEGORIES = Arrays.asList(
        CpsDefaultGroovyMethods.class,
        CpsDefaultGroovyStaticMethods.class,
        CpsStringGroovyMethods.class,
        SerializableIterators.class);

    private static Engine current;

    final Build build;
    private final Scripts scripts;
    private final boolean sandbox;
    private final Steps steps;
    private Program program = new Program();
    private Binding binding = new Binding();
    /** how often the program was saved and loaded */
    int saves;
    final List<String> faults = new ArrayList<>();

    Engine(Build build, Scripts scripts, boolean sandbox) {
        this.build = build;
        this.scripts = scripts;
        this.sandbox = sandbox;
        this.steps = new Steps(this);
        current = this;
        Suspension.reportMismatches(faults::add);
    }

    static Engine current() {
        return current;
    }

    Binding binding() {
        return binding;
    }

    Program program() {
        return program;
    }

    /** A library's variable, or one that Jenkins provides; null where there is none. */
    Object variable(String name) {
        if (binding.hasVariable(name)) return binding.getVariable(name);
        try {
            Object value = build.global(name);
            Script script = value == null ? scripts.variable(name) : null;
            if (script != null) {
                script.setBinding(binding);
                value = script;
            }
            if (value != null) binding.setVariable(name, value);
            return value;
        } catch (IOException | ReflectiveOperationException broken) {
            throw new IllegalStateException("the library's variable " + name + " does not compile", broken);
        }
    }

    /** Called by the program: never returns, except for what only describes something to a step. */
    Object callStep(StepCall call) {
        Object described = steps.describe(call);
        return described == null ? Suspension.suspend(call) : described;
    }

    /** @return what the job's script came to */
    Outcome run(String text) throws Exception {
        Script script = scripts.job(text);
        script.setBinding(binding);
        program.frames.add(Frame.plain("job", new Continuable(script, environment())));
        Outcome input = new Outcome(null, null);
        while (true) {
            Outcome out = resume(program.top().code, input);
            if (!faults.isEmpty()) return new Outcome(null, new IllegalStateException(faults.get(0)));
            if (program.top().code.isResumable()) {
                program.pending = (StepCall) out.getNormal();
                restart();
                input = steps.start(program.pending);
            } else {
                Frame ended = program.pop();
                if (program.frames.isEmpty()) return out;
                input = steps.end(ended, out);
            }
        }
    }

    /** The program that runs a step's body. */
    Continuable bodyOf(Closure<?> body) {
        try {
            body.call();
        } catch (CpsCallableInvocation invocation) {
            return new Continuable(invocation.asBlock(), environment());
        }
        throw new IllegalStateException("the body of a step was not transformed");
    }

    private Env environment() {
        return Envs.empty(sandbox ? new SandboxInvoker() : new DefaultInvoker());
    }

    private Outcome resume(Continuable code, Outcome input) throws Exception {
        Recorder recorder = sandbox ? build.recorder() : null;
        if (recorder == null) return code.run0(input, CATEGORIES);
        recorder.register();
        try {
            return code.run0(input, CATEGORIES);
        } finally {
            recorder.unregister();
        }
    }

    private void restart() throws IOException, ClassNotFoundException {
        program.variables.clear();
        for (Object name : binding.getVariables().keySet()) {
            program.variables.put(name.toString(), binding.getVariable(name.toString()));
        }
        byte[] saved = program.save();
        binding = new Binding();
        program = Program.load(saved, scripts.loader);
        program.variables.forEach(binding::setVariable);
        saves++;
    }
}
