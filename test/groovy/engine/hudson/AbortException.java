package hudson;

import java.io.IOException;

/** What the step `error` and failing steps throw. */
public class AbortException extends IOException {
    private static final long serialVersionUID = 1L;

    public AbortException(String message) {
        super(message);
    }
}
