package treeswap;

import com.cloudbees.groovy.cps.Outcome;
import hudson.AbortException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;

/** The pipeline steps that there are. A step that is not here does not exist, as in a Jenkins without its plugin. */
final class Steps {
    private static final List<String> DESCRIPTIONS = List.of(
        "usernamePassword", "sshUserPrivateKey", "file", "string", "buildDiscarder", "logRotator", "disableConcurrentBuilds");

    private final Engine engine;
    private final Build build;
    private final Shell shell;
    private final Checkout checkout;

    Steps(Engine engine) {
        this.engine = engine;
        this.build = engine.build;
        this.shell = new Shell(build);
        this.checkout = new Checkout(build, shell);
    }

    /** What only describes something to a step, and is no step; null otherwise. */
    Object describe(StepCall call) {
        if (!DESCRIPTIONS.contains(call.name)) return null;
        Map<String, Object> described = new LinkedHashMap<>(call.named);
        described.put("$class", call.name);
        return described;
    }

    /** Does a step, or begins its body. @return what the program is resumed with */
    Outcome start(StepCall call) {
        build.steps.add(call.name);
        try {
            if (build.aborted) throw new FlowInterruptedException("Aborted by a user");
            Place place = Place.of(engine);
            Object value = call.body == null ? doStep(call, place) : begin(call, place);
            return new Outcome(value, null);
        } catch (Exception | NoSuchMethodError failed) {
            return new Outcome(null, failed);
        }
    }

    /** @return what the step with this body comes to */
    Outcome end(Frame frame, Outcome outcome) {
        if (frame.step.equals("node")) build.tell("[" + frame.agent + "] done");
        return outcome;
    }

    private Object begin(StepCall call, Place place) throws IOException {
        switch (call.name) {
            case "node":
                return node(call);
            case "timeout":
                TimeUnit unit = TimeUnit.valueOf(call.option("unit", "MINUTES"));
                long time = unit.toMillis(Long.parseLong(call.text("time")));
                return push(call, Map.of(), null, build.now() + time, null);
            case "withEnv":
                Map<String, String> variables = new LinkedHashMap<>();
                for (Object entry : (List<?>) call.argument("overrides")) {
                    String[] parts = entry.toString().split("=", 2);
                    variables.put(parts[0], parts[1]);
                }
                return push(call, variables, null, 0, null);
            case "withCredentials":
                return push(call, Credentials.bind((List<?>) call.argument("bindings"), place, build), null, 0, null);
            case "dir":
                return push(call, Map.of(), call.text("path"), 0, null);
            case "stage":
                return push(call, Map.of(), null, 0, null);
            default:
                throw missing(call.name);
        }
    }

    private Object node(StepCall call) throws IOException {
        String label = call.text("label");
        Map<?, ?> agent = (Map<?, ?>) build.section("agents").get(label);
        if (agent == null) throw new AbortException("There are no nodes with the label '" + label + "'");
        build.agents.add(label);
        build.tell("Running on " + label);
        Path workspace = Files.createDirectories(Path.of(agent.get("workspace").toString()));
        if (agent.get("user") != null) Credentials.giveTo(agent.get("user").toString(), workspace);
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("WORKSPACE", workspace.toString());
        variables.put("NODE_NAME", label);
        Object own = agent.get("environment");
        if (own != null) ((Map<?, ?>) own).forEach((key, value) -> variables.put(key.toString(), value.toString()));
        return push(call, variables, workspace.toString(), 0, label);
    }

    private Object push(StepCall call, Map<String, String> variables, String directory, long deadline, String agent) {
        Map<String, String> serializable = new LinkedHashMap<>(variables);
        engine.program().frames.add(
            new Frame(call.name, engine.bodyOf(call.body), serializable, directory, deadline, agent));
        return null;
    }

    private Object doStep(StepCall call, Place place) throws Exception {
        switch (call.name) {
            case "echo":
                build.tell(call.text("message"));
                return null;
            case "error":
                throw new AbortException(call.text("message"));
            case "unstable":
                build.worsen("UNSTABLE");
                build.tell("WARNING: " + call.text("message"));
                return null;
            case "sh":
                return shell.run(call, place);
            case "pwd":
                return (call.flag("tmp") ? place.temporary() : place.file("")).toString();
            case "fileExists":
                return Files.exists(place.file(call.text("file")));
            case "readFile":
                return new String(Files.readAllBytes(place.file(call.text("file"))), StandardCharsets.UTF_8);
            case "writeFile":
                return write(place, call);
            case "libraryResource":
                Path resource = build.library.resolve("resources").resolve(call.text("resource"));
                if (!Files.isRegularFile(resource)) {
                    throw new AbortException("No such library resource " + call.text("resource") + " could be found.");
                }
                return new String(Files.readAllBytes(resource), StandardCharsets.UTF_8);
            case "checkout":
                return checkout.run(call, place);
            case "archiveArtifacts":
                Archive.run(call, place, build);
                return null;
            case "junit":
                if (!build.has("junit")) throw missing(call.name);
                return report(place, call);
            case "properties":
                build.tell("properties: " + call.single);
                return null;
            case "jobDsl":
                if (!build.has("job-dsl")) throw missing(call.name);
                build.reports.add(call.text("targets"));
                return null;
            default:
                throw missing(call.name);
        }
    }

    private Object write(Place place, StepCall call) throws IOException {
        Path file = place.file(call.text("file"));
        Files.createDirectories(file.getParent());
        Files.write(file, call.text("text").getBytes(StandardCharsets.UTF_8));
        Credentials.give(file, place);
        return null;
    }

    private Object report(Place place, StepCall call) throws IOException {
        List<Path> files = Archive.matching(place.file(""), call.text("testResults"));
        for (Path file : files) build.reports.add(place.file("").relativize(file).toString());
        if (files.isEmpty() && !call.flag("allowEmptyResults")) throw new AbortException("No test report files were found.");
        return null;
    }

    private static NoSuchMethodError missing(String name) {
        return new NoSuchMethodError("No such DSL method '" + name + "' found among steps");
    }
}
