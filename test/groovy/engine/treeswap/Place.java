package treeswap;

import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where the program is: what the bodies around say. */
final class Place {
    final Map<String, String> environment;
    /** null outside of `node` */
    final Path directory;
    final Map<?, ?> agent;
    /** milliseconds since 1970; 0: none */
    final long deadline;

    private Place(Map<String, String> environment, Path directory, Map<?, ?> agent, long deadline) {
        this.environment = environment;
        this.directory = directory;
        this.agent = agent;
        this.deadline = deadline;
    }

    static Place of(Engine engine) {
        Map<String, String> environment = new LinkedHashMap<>(engine.build.environment());
        Path directory = null;
        Map<?, ?> agent = null;
        long deadline = 0;
        for (Frame frame : engine.program().frames) {
            if (frame.agent != null) agent = (Map<?, ?>) engine.build.section("agents").get(frame.agent);
            environment.putAll(frame.environment);
            if (frame.directory != null) {
                directory = directory == null ? Paths.get(frame.directory) : directory.resolve(frame.directory);
            }
            if (frame.deadline != 0) deadline = deadline == 0 ? frame.deadline : Math.min(deadline, frame.deadline);
        }
        return new Place(environment, directory, agent, deadline);
    }

    /** A file that a step names, relative to the working directory. */
    Path file(String name) {
        if (directory == null) {
            throw new IllegalStateException("Required context class hudson.FilePath is missing: use it inside node");
        }
        return directory.resolve(name);
    }

    /** `WORKSPACE@tmp`, beside the working directory. */
    Path temporary() {
        return Paths.get(file("").normalize().toString() + "@tmp");
    }

    /** The user as whom programs run on this agent; null: this process's own. */
    String user() {
        Object user = agent == null ? null : agent.get("user");
        return user == null ? null : user.toString();
    }
}
