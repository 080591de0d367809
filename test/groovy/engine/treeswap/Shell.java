package treeswap;

import hudson.AbortException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;

/** The step `sh`, and the programs of other steps: really run, really stopped. */
final class Shell {
    /** how long Jenkins waits between SIGTERM and SIGKILL */
    private static final long GRACE = 5000;

    private final Build build;

    Shell(Build build) {
        this.build = build;
    }

    Object run(StepCall call, Place place) throws IOException, InterruptedException {
        String script = call.text("script");
        Path directory = Files.createDirectories(place.file(""));
        Path control = Files.createDirectories(place.temporary().resolve("durable-" + UUID.randomUUID()));
        Path file = Files.write(control.resolve("script.sh"), script.getBytes(StandardCharsets.UTF_8));
        // the agent's user may not be ours
        for (Path path : Arrays.asList(control, file)) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        List<String> command = new ArrayList<>();
        command.addAll(script.startsWith("#!") ? interpreter(script) : Arrays.asList("sh", "-xe"));
        command.add(file.toString());
        StringBuilder output = call.flag("returnStdout") ? new StringBuilder() : null;
        int status = execute(command, directory, place, output);
        if (call.flag("returnStatus")) return status;
        if (status != 0) throw new AbortException("script returned exit code " + status);
        return output == null ? null : output.toString();
    }

    /** @param output where standard output goes; null: to the console */
    int execute(List<String> command, Path directory, Place place, StringBuilder output)
        throws IOException, InterruptedException {
        List<String> whole = new ArrayList<>(place.user() == null ? Arrays.asList() : asUser(place.user()));
        whole.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(whole).directory(directory.toFile());
        builder.redirectInput(new File("/dev/null"));
        if (output == null) builder.redirectErrorStream(true);
        else builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Map<String, String> environment = builder.environment();
        environment.putAll(place.environment);
        String cookie = "durable-" + UUID.randomUUID();
        environment.put("JENKINS_SERVER_COOKIE", cookie);
        Process process = builder.start();
        Thread reader = new Thread(() -> read(process, output));
        reader.start();
        String why = waitFor(process, place.deadline);
        if (why != null) stop(process, cookie);
        int status = process.waitFor();
        reader.join(1000);
        if (why != null) throw new FlowInterruptedException(why);
        return status;
    }

    private static List<String> asUser(String user) {
        return Arrays.asList("setpriv", "--reuid", user, "--regid", user, "--clear-groups");
    }

    private static List<String> interpreter(String script) {
        return new ArrayList<>(Arrays.asList(script.split("\n", 2)[0].substring(2).trim().split(" ")));
    }

    private void read(Process process, StringBuilder output) {
        try (BufferedReader lines =
            new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (output == null) build.tell(line);
                else output.append(line).append('\n');
            }
        } catch (IOException ended) {
            build.tell("(output ended: " + ended.getMessage() + ")");
        }
    }

    /** @return why the process has to be stopped; null where it ended by itself */
    private String waitFor(Process process, long deadline) throws InterruptedException {
        while (!process.waitFor(20, TimeUnit.MILLISECONDS)) {
            if (build.aborted) return "Aborted by a user";
            if (deadline != 0 && build.now() > deadline) return "Timeout has been exceeded";
        }
        return null;
    }

    /** As Jenkins stops a step: every process that has the step's cookie and that it may signal. */
    private void stop(Process process, String cookie) throws InterruptedException {
        build.tell("Sending interrupt signal to process");
        signal("TERM", cookie);
        if (process.waitFor(GRACE, TimeUnit.MILLISECONDS)) return;
        build.tell("After 5s process did not stop");
        signal("KILL", cookie);
    }

    private void signal(String name, String cookie) {
        try (Stream<Path> processes = Files.list(new File("/proc").toPath())) {
            List<String> found = processes
                .filter(path -> path.getFileName().toString().matches("\\d+"))
                .filter(path -> environmentOf(path).contains("JENKINS_SERVER_COOKIE=" + cookie))
                .map(path -> path.getFileName().toString())
                .collect(Collectors.toList());
            if (found.isEmpty()) return;
            List<String> command = new ArrayList<>(Arrays.asList("kill", "-" + name));
            command.addAll(found);
            new ProcessBuilder(command).start().waitFor();
        } catch (IOException | InterruptedException failed) {
            build.tell("could not signal: " + failed);
        }
    }

    private static String environmentOf(Path process) {
        try {
            return new String(Files.readAllBytes(process.resolve("environ")), StandardCharsets.ISO_8859_1);
        } catch (IOException gone) {
            return "";
        }
    }
}
