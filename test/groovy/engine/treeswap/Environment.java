package treeswap;

import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;

/** `env`: the variables at the place where the program is. Holds nothing itself. */
public final class Environment extends GroovyObjectSupport implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Object getProperty(String name) {
        return Place.of(Engine.current()).environment.get(name);
    }

    @Override
    public void setProperty(String name, Object value) {
        throw new UnsupportedOperationException("env." + name + " is set for the whole build: use withEnv");
    }
}
