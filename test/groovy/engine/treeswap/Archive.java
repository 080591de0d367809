package treeswap;

import hudson.AbortException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The step `archiveArtifacts`: copies files to where the server keeps the build's artifacts. */
final class Archive {
    private Archive() {}

    static void run(StepCall call, Place place, Build build) throws IOException {
        int found = 0;
        for (String pattern : call.text("artifacts").split(",")) {
            for (Path file : matching(place.file(""), pattern.trim())) {
                String name = place.file("").relativize(file).toString();
                Path target = build.path("archive").resolve(name);
                Files.createDirectories(target.getParent());
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
                build.archived.add(name);
                found++;
            }
        }
        if (found == 0 && !call.flag("allowEmptyArchive")) {
            throw new AbortException("No artifacts found that match the file pattern \"" + call.text("artifacts") + '"');
        }
    }

    static List<Path> matching(Path directory, String pattern) throws IOException {
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        try (Stream<Path> files = Files.walk(directory)) {
            return files
                .filter(Files::isRegularFile)
                .filter(path -> matcher.matches(directory.relativize(path)))
                .sorted()
                .collect(Collectors.toList());
        }
    }
}
