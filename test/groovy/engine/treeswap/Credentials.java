package treeswap;

import hudson.AbortException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The step `withCredentials`: secrets by environment or file, masked in the console. */
final class Credentials {
    private Credentials() {}

    static Map<String, String> bind(List<?> bindings, Place place, Build build) throws IOException {
        Map<String, String> variables = new LinkedHashMap<>();
        for (Object entry : bindings) {
            Map<?, ?> binding = (Map<?, ?>) entry;
            String id = String.valueOf(binding.get("credentialsId"));
            Map<?, ?> secret = (Map<?, ?>) build.section("credentials").get(id);
            if (secret == null) throw new AbortException("Could not find credentials entry with ID '" + id + "'");
            if (binding.get("$class").equals("usernamePassword")) {
                variables.put(binding.get("usernameVariable").toString(), secret.get("username").toString());
                variables.put(binding.get("passwordVariable").toString(), secret.get("password").toString());
                build.mask(secret.get("password").toString());
            } else if (binding.get("$class").equals("string")) {
                variables.put(binding.get("variable").toString(), secret.get("text").toString());
                build.mask(secret.get("text").toString());
            } else {
                boolean isFile = binding.get("$class").equals("file");
                String name = isFile ? "file" + UUID.randomUUID() : "ssh-key";
                Path key = place.temporary().resolve("secretFiles/" + UUID.randomUUID()).resolve(name);
                Files.createDirectories(key.getParent());
                Files.write(key, secret.get(isFile ? "file" : "key").toString().getBytes(StandardCharsets.UTF_8));
                Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("r--------"));
                give(key, place);
                variables.put(binding.get(isFile ? "variable" : "keyFileVariable").toString(), key.toString());
                build.mask(key.toString());
            }
        }
        return variables;
    }

    /** Files that the server writes on an agent belong to the agent's user. */
    static void give(Path file, Place place) throws IOException {
        if (place.user() == null) return;
        giveTo(place.user(), file);
        giveTo(place.user(), file.getParent());
    }

    static void giveTo(String user, Path path) throws IOException {
        Files.setAttribute(path, "unix:uid", Integer.parseInt(user));
        Files.setAttribute(path, "unix:gid", Integer.parseInt(user));
    }
}
