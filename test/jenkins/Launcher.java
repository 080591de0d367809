import java.util.Map;

/** Starts Hudson 3.3.2 under a Java that it does not know: it asks for the version, and takes nothing above 8. */
public final class Launcher {
    private static final Map<String, String> KNOWN = Map.of(
        "java.version", "1.8.0_300",
        "java.specification.version", "1.8",
        "java.class.version", "52.0",
        "java.vendor", "Oracle Corporation",
        "java.vm.vendor", "Oracle Corporation");

    public static void main(String[] arguments) throws Exception {
        KNOWN.forEach(System::setProperty);
        Class.forName("org.eclipse.hudson.war.Executable")
            .getMethod("main", String[].class)
            .invoke(null, (Object) arguments);
    }
}
