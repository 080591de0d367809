package treeswap;

import hudson.AbortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The step `checkout` with the Git plugin: a real clone, and a note of what would be polled. */
final class Checkout {
    private final Build build;
    private final Shell shell;

    Checkout(Build build, Shell shell) {
        this.build = build;
        this.shell = shell;
    }

    Map<String, String> run(StepCall call, Place place) throws IOException, InterruptedException {
        Object given = call.argument("scm");
        Map<?, ?> scm = given instanceof OwnRepository ? ((OwnRepository) given).definition : (Map<?, ?>) given;
        if (!"GitSCM".equals(scm.get("$class"))) throw new IllegalArgumentException("no such SCM: " + scm);
        Map<?, ?> remote = (Map<?, ?>) ((List<?>) scm.get("userRemoteConfigs")).get(0);
        String branch = String.valueOf(((Map<?, ?>) ((List<?>) scm.get("branches")).get(0)).get("name"));
        String url = String.valueOf(remote.get("url"));
        Object credentials = remote.get("credentialsId");
        if (credentials != null && !build.section("credentials").containsKey(credentials)) {
            build.tell("Warning: CredentialId \"" + credentials + "\" could not be found.");
        }
        Map<String, Object> note = new LinkedHashMap<>();
        note.put("url", url);
        note.put("branch", branch);
        note.put("credentials", credentials);
        note.put("poll", !Boolean.FALSE.equals(call.named.get("poll")));
        Path directory = Files.createDirectories(place.file(""));
        for (Object entry : extensions(scm)) {
            Map<?, ?> extension = (Map<?, ?>) entry;
            if ("RelativeTargetDirectory".equals(extension.get("$class"))) {
                directory = Files.createDirectories(directory.resolve(extension.get("relativeTargetDir").toString()));
            } else if ("PathRestriction".equals(extension.get("$class"))) {
                note.put("regions", extension.get("includedRegions"));
            }
        }
        build.checkouts.add(note);
        Credentials.give(directory.resolve("."), place);
        git(place, directory, "init", "--quiet");
        Object refspec = remote.get("refspec");
        String fetched = refspec == null ? "+refs/heads/*:refs/remotes/origin/*" : refspec.toString();
        git(place, directory, "fetch", "--quiet", "--depth=1", "--force", url, fetched);
        String commitish = branch.replaceFirst("^(refs/heads|origin)/", "refs/remotes/origin/");
        git(place, directory, "checkout", "--quiet", "--force", "--detach", commitish);
        git(place, directory, "clean", "-ffdxq");
        StringBuilder commit = new StringBuilder();
        shell.execute(Arrays.asList("git", "rev-parse", "HEAD"), directory, place, commit);
        Map<String, String> result = new LinkedHashMap<>();
        result.put("GIT_COMMIT", commit.toString().trim());
        result.put("GIT_URL", url);
        return result;
    }

    private static List<?> extensions(Map<?, ?> scm) {
        Object extensions = scm.get("extensions");
        return extensions == null ? Collections.emptyList() : (List<?>) extensions;
    }

    private void git(Place place, Path directory, String... arguments) throws IOException, InterruptedException {
        String[] command = new String[arguments.length + 1];
        command[0] = "git";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        int status = shell.execute(Arrays.asList(command), directory, place, null);
        if (status != 0) throw new AbortException("Error fetching remote repo: git " + arguments[0] + " ended with " + status);
    }
}
