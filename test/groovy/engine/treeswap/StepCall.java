package treeswap;

import groovy.lang.Closure;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A call of a pipeline step: what the program hands over when it is suspended. */
final class StepCall implements Serializable {
    private static final long serialVersionUID = 1L;

    final String name;
    /** named arguments */
    final Map<String, Object> named;
    /** the one unnamed argument; null where there is none */
    final Object single;
    /** null for a step without a body */
    final Closure<?> body;

    private StepCall(String name, Map<String, Object> named, Object single, Closure<?> body) {
        this.name = name;
        this.named = named;
        this.single = single;
        this.body = body;
    }

    static StepCall of(String name, Object arguments) {
        List<Object> given = new ArrayList<>(
            arguments instanceof Object[] ? Arrays.asList((Object[]) arguments) : Collections.singletonList(arguments));
        Closure<?> body = null;
        if (!given.isEmpty() && given.get(given.size() - 1) instanceof Closure) {
            body = (Closure<?>) given.remove(given.size() - 1);
        }
        if (given.size() > 1) throw new IllegalArgumentException("Expected named arguments but got " + given);
        Object only = given.isEmpty() ? null : given.get(0);
        Map<String, Object> named = new LinkedHashMap<>();
        boolean isNamed = only instanceof Map && !((Map<?, ?>) only).containsKey("$class");
        if (isNamed) ((Map<?, ?>) only).forEach((key, value) -> named.put(String.valueOf(key), value));
        return new StepCall(name, named, isNamed ? null : only, body);
    }

    /** A named argument, or the unnamed one that stands for it. */
    Object argument(String key) {
        return named.containsKey(key) ? named.get(key) : single;
    }

    String text(String key) {
        Object value = argument(key);
        if (value == null) throw new IllegalArgumentException("the step " + name + " needs " + key);
        return value.toString();
    }

    String option(String key, String fallback) {
        Object value = named.get(key);
        return value == null ? fallback : value.toString();
    }

    boolean flag(String key) {
        return Boolean.TRUE.equals(named.get(key));
    }
}
