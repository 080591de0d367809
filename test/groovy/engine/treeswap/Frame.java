package treeswap;

import com.cloudbees.groovy.cps.Continuable;
import java.io.Serializable;
import java.util.Collections;
import java.util.Map;

/** Code that runs: the job's script, or the body of a step, with what the step says about its body. */
final class Frame implements Serializable {
    private static final long serialVersionUID = 1L;

    final String step;
    final Continuable code;
    /** environment variables that are set inside */
    final Map<String, String> environment;
    /** working directory inside; null: that of the frame around */
    final String directory;
    /** milliseconds since 1970 when the code must have ended; 0: never */
    final long deadline;
    /** the agent's label, for `node`; null: that of the frame around */
    final String agent;

    Frame(String step, Continuable code, Map<String, String> environment, String directory, long deadline, String agent) {
        this.step = step;
        this.code = code;
        this.environment = environment;
        this.directory = directory;
        this.deadline = deadline;
        this.agent = agent;
    }

    static Frame plain(String step, Continuable code) {
        return new Frame(step, code, Collections.emptyMap(), null, 0, null);
    }
}
