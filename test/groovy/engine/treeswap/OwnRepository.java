package treeswap;

import java.io.Serializable;
import java.util.Map;

/** The value of `scm`: an object of the Git plugin, which is no map. */
final class OwnRepository implements Serializable {
    private static final long serialVersionUID = 1L;
    final Map<String, Object> definition;

    OwnRepository(Map<String, Object> definition) {
        this.definition = definition;
    }
}
