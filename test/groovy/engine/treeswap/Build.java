package treeswap;

import groovy.json.JsonOutput;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One build of a job: what the scenario says about it, and what became of it. */
final class Build {
    final Map<String, Object> scenario;
    final Path library;
    /** from best to worst, as Jenkins orders them */
    private static final List<String> RESULTS = List.of("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED");
    /** so far; what stops the program decides later */
    String result = "SUCCESS";
    String description;
    final List<String> steps = new ArrayList<>();
    final List<Map<String, Object>> checkouts = new ArrayList<>();
    final List<String> archived = new ArrayList<>();
    final List<String> reports = new ArrayList<>();
    /** labels of agents in the order of use */
    final List<String> agents = new ArrayList<>();
    private final List<String> secrets = new ArrayList<>();
    private final PrintStream console = new PrintStream(System.out, true);
    private Recorder recorder;
    /** set by whoever aborts the build */
    volatile boolean aborted;
    /** milliseconds that have passed by word of the tests only */
    volatile long skipped;

    Build(Map<String, Object> scenario) {
        this.scenario = scenario;
        this.library = Paths.get(text("library"));
    }

    /** Milliseconds since the epoch, as time limits are measured. */
    long now() {
        return System.currentTimeMillis() + skipped;
    }

    /** A line of the console, without the secrets that were bound. */
    synchronized void tell(String line) {
        String masked = line;
        for (String secret : secrets) masked = masked.replace(secret, "****");
        console.println(masked);
    }

    /** A result can only become worse. */
    void worsen(String other) {
        if (!RESULTS.contains(other)) throw new IllegalArgumentException("there is no result " + other);
        if (RESULTS.indexOf(other) > RESULTS.indexOf(result)) result = other;
    }

    void mask(String secret) {
        if (!secret.isEmpty()) secrets.add(secret);
    }

    String text(String key) {
        Object value = scenario.get(key);
        if (value == null) throw new IllegalArgumentException("the scenario lacks " + key);
        return value.toString();
    }

    Path path(String key) {
        return Paths.get(text(key));
    }

    @SuppressWarnings("unchecked")
    Map<String, Object> section(String key) {
        Object value = scenario.get(key);
        return value == null ? Collections.emptyMap() : (Map<String, Object>) value;
    }

    boolean has(String plugin) {
        Object plugins = scenario.get("plugins");
        return plugins instanceof List && ((List<?>) plugins).contains(plugin);
    }

    /** What Jenkins provides in every script; null where it is nothing of that. */
    Object global(String name) {
        switch (name) {
            case "env":
                return new Environment();
            case "currentBuild":
                return new CurrentBuild();
            case "params":
                return new LinkedHashMap<>(section("parameters"));
            case "scm":
                if (scenario.get("scm") instanceof Map) return new OwnRepository(section("scm"));
                throw new IllegalStateException("'checkout scm' is only available in a script that came from a repository");
            default:
                return null;
        }
    }

    Recorder recorder() {
        if (recorder == null) recorder = new Recorder();
        return recorder;
    }

    /** Environment variables of every build (Jenkins, `/env-vars.html`), and those of the scenario. */
    Map<String, String> environment() {
        Map<String, String> all = new LinkedHashMap<>();
        section("environment").forEach((key, value) -> all.put(key, value.toString()));
        all.put("JOB_NAME", text("job"));
        all.put("BUILD_NUMBER", text("number"));
        all.put("BUILD_TAG", "jenkins-" + text("job").replace('/', '-') + "-" + text("number"));
        section("parameters").forEach((key, value) -> all.put(key, value.toString()));
        return all;
    }

    /** Writes what a test wants to know. */
    void summarize(String ended, Throwable error, int saves) throws IOException {
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("result", ended);
        summary.put("error", error == null ? null : error.toString());
        summary.put("description", description);
        summary.put("steps", steps);
        summary.put("saves", saves);
        summary.put("checkouts", checkouts);
        summary.put("archived", archived);
        summary.put("reports", reports);
        summary.put("agents", agents);
        if (recorder != null) summary.put("checked", recorder.signatures());
        Files.write(path("summary"), JsonOutput.toJson(summary).getBytes(StandardCharsets.UTF_8));
    }
}
