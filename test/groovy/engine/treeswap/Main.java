package treeswap;

import com.cloudbees.groovy.cps.Outcome;
import groovy.json.JsonSlurperClassic;
import java.io.File;
import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;

/**
 * Runs one build as its scenario says, a JSON file (see test/groovy/run-pipeline.ts). The console goes to standard
 * output. The line `abort` on standard input aborts the build; so does its end. The line `pass N` lets N minutes pass
 * for its time limits.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        @SuppressWarnings("unchecked")
        Map<String, Object> scenario =
            (Map<String, Object>) new JsonSlurperClassic().parse(new File(arguments[0]), "UTF-8");
        Build build = new Build(scenario);
        Thread aborter = new Thread(() -> listen(build));
        aborter.setDaemon(true);
        aborter.start();
        boolean sandbox = Boolean.TRUE.equals(scenario.get("sandbox"));
        Engine engine = new Engine(build, new Scripts(build.library, sandbox), sandbox);
        Throwable error;
        try {
            Outcome outcome = engine.run(build.text("script"));
            error = outcome.getAbnormal();
        } catch (Exception broken) {
            error = broken;
        }
        String result = error == null ? build.result : error instanceof FlowInterruptedException ? "ABORTED" : "FAILURE";
        if (error != null) build.tell(error.toString());
        if (error != null && System.getenv("ENGINE_TRACE") != null) error.printStackTrace();
        build.tell("Finished: " + result);
        build.summarize(result, error, engine.saves);
        System.exit(0);
    }

    private static void listen(Build build) {
        Scanner input = new Scanner(System.in);
        while (input.hasNextLine()) {
            String[] words = input.nextLine().split(" ");
            if (words[0].equals("abort")) break;
            build.skipped += TimeUnit.MINUTES.toMillis(Long.parseLong(words[1]));
        }
        build.aborted = true;
    }
}
