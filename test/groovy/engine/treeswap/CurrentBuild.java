package treeswap;

import java.io.Serializable;

/** `currentBuild`, as far as it may be used in a sandbox. Holds nothing itself. */
public final class CurrentBuild implements Serializable {
    private static final long serialVersionUID = 1L;

    public String getDescription() {
        return Engine.current().build.description;
    }

    public void setDescription(String text) {
        Engine.current().build.description = text;
    }

    public void setResult(String result) {
        Engine.current().build.worsen(result);
    }

    public String getCurrentResult() {
        return Engine.current().build.result;
    }
}
