package treeswap;

import groovy.lang.Closure;
import groovy.lang.GroovyObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.codehaus.groovy.runtime.DefaultGroovyMethods;
import org.codehaus.groovy.runtime.StringGroovyMethods;
import org.kohsuke.groovy.sandbox.GroovyInterceptor;

/**
 * Notes every call that Jenkins' script sandbox would check, in the words of its approvals: `method CLASS NAME
 * ARGUMENTS…`, `staticMethod …`, `new …`. What the sandbox allows without a list (the script's own classes, steps and
 * variables) is left out.
 */
final class Recorder extends GroovyInterceptor {
    private final Set<String> noted = new TreeSet<>();

    Collection<String> signatures() {
        return noted;
    }

    @Override
    public Object onMethodCall(Invoker invoker, Object receiver, String method, Object... args) throws Throwable {
        note(receiver, method, args);
        return super.onMethodCall(invoker, receiver, method, args);
    }

    @Override
    public Object onStaticCall(Invoker invoker, Class receiver, String method, Object... args) throws Throwable {
        if (!isOwn(receiver)) noted.add("staticMethod " + describe(find(receiver, method, args, true), receiver, method));
        return super.onStaticCall(invoker, receiver, method, args);
    }

    @Override
    public Object onNewInstance(Invoker invoker, Class receiver, Object... args) throws Throwable {
        if (!isOwn(receiver)) noted.add("new " + receiver.getName() + constructorTypes(receiver, args));
        return super.onNewInstance(invoker, receiver, args);
    }

    @Override
    public Object onGetProperty(Invoker invoker, Object receiver, String property) throws Throwable {
        noteProperty(receiver, "get", property);
        return super.onGetProperty(invoker, receiver, property);
    }

    @Override
    public Object onSetProperty(Invoker invoker, Object receiver, String property, Object value) throws Throwable {
        noteProperty(receiver, "set", property, value);
        return super.onSetProperty(invoker, receiver, property, value);
    }

    @Override
    public Object onGetAttribute(Invoker invoker, Object receiver, String attribute) throws Throwable {
        noted.add("field " + receiver.getClass().getName() + " " + attribute);
        return super.onGetAttribute(invoker, receiver, attribute);
    }

    @Override
    public Object onGetArray(Invoker invoker, Object receiver, Object index) throws Throwable {
        note(receiver, "getAt", index);
        return super.onGetArray(invoker, receiver, index);
    }

    @Override
    public Object onSetArray(Invoker invoker, Object receiver, Object index, Object value) throws Throwable {
        note(receiver, "putAt", index, value);
        return super.onSetArray(invoker, receiver, index, value);
    }

    private void noteProperty(Object receiver, String verb, String property, Object... value) {
        if (receiver instanceof java.util.Map) return;
        if (receiver == null || isOwn(receiver.getClass())) return;
        String name = verb + Character.toUpperCase(property.charAt(0)) + property.substring(1);
        Method found = find(receiver.getClass(), name, value, false);
        if (found != null) noted.add("method " + describe(found, receiver.getClass(), name));
        else noted.add("property " + receiver.getClass().getName() + " " + property);
    }

    private void note(Object receiver, String name, Object... args) {
        // arithmetic of numbers is allowed without a list
        if (receiver == null || (receiver instanceof Number && args.length == 1 && args[0] instanceof Number)) return;
        Class<?> type = receiver.getClass();
        if (receiver instanceof Class && !isOwn((Class<?>) receiver)) {
            Method found = find((Class<?>) receiver, name, args, true);
            if (found != null) {
                noted.add("staticMethod " + describe(found, (Class<?>) receiver, name));
                return;
            }
        }
        Method found = find(type, name, args, false);
        if (found != null) {
            if (!isOwn(found.getDeclaringClass())) noted.add("method " + describe(found, type, name));
            return;
        }
        Method added = findAdded(receiver, name, args);
        if (added != null) noted.add("staticMethod " + describe(added, type, name));
        // what is unknown to a script is a step or a variable of the library
        else if (!(receiver instanceof PipelineScript)) noted.add("unknown " + type.getName() + " " + name);
    }

    /** The script's own classes, closures among them. */
    private static boolean isOwn(Class<?> type) {
        return type.getClassLoader() instanceof groovy.lang.GroovyClassLoader || type == Closure.class;
    }

    /** The method in the most general type that has it: its signature is what an administrator would approve. */
    private static Method find(Class<?> type, String name, Object[] args, boolean isStatic) {
        for (Class<?> candidate : mostGeneralFirst(type)) {
            Method best = null;
            for (Method method : candidate.getDeclaredMethods()) {
                boolean fits = method.getName().equals(name)
                    && Modifier.isStatic(method.getModifiers()) == isStatic
                    && Modifier.isPublic(method.getModifiers())
                    && accepts(method.getParameterTypes(), args, method.isVarArgs())
                    && !(GroovyObject.class == candidate && !name.equals("invokeMethod"));
                if (fits && (best == null || isMoreSpecific(method, best))) best = method;
            }
            if (best != null) return best;
        }
        return null;
    }

    /** Methods that Groovy adds to Java's classes. */
    private static Method findAdded(Object receiver, String name, Object[] args) {
        List<Object> all = new ArrayList<>();
        all.add(receiver);
        all.addAll(Arrays.asList(args));
        for (Class<?> holder : Arrays.asList(DefaultGroovyMethods.class, StringGroovyMethods.class)) {
            Method best = null;
            for (Method method : holder.getMethods()) {
                boolean fits = method.getName().equals(name)
                    && accepts(method.getParameterTypes(), all.toArray(), method.isVarArgs());
                if (fits && (best == null || isMoreSpecific(method, best))) best = method;
            }
            if (best != null) return best;
        }
        return null;
    }

    private static boolean isMoreSpecific(Method method, Method other) {
        Class<?>[] types = method.getParameterTypes();
        Class<?>[] others = other.getParameterTypes();
        for (int i = 0; i < Math.min(types.length, others.length); i++) {
            if (!others[i].isAssignableFrom(types[i])) return false;
        }
        return types.length == others.length;
    }

    private static boolean accepts(Class<?>[] types, Object[] args, boolean varArgs) {
        if (varArgs && args.length >= types.length - 1) return true;
        if (types.length != args.length) return false;
        for (int i = 0; i < types.length; i++) {
            Class<?> boxed = org.codehaus.groovy.reflection.ReflectionCache.autoboxType(types[i]);
            boolean isText = args[i] instanceof groovy.lang.GString && types[i] == String.class;
            boolean widens = args[i] instanceof Integer && boxed == Long.class;
            if (args[i] != null && !boxed.isInstance(args[i]) && !isText && !widens) return false;
        }
        return true;
    }

    private static List<Class<?>> mostGeneralFirst(Class<?> type) {
        Set<Class<?>> types = new LinkedHashSet<>();
        collect(type, types);
        return new ArrayList<>(types);
    }

    private static void collect(Class<?> type, Set<Class<?>> types) {
        if (type == null) return;
        collect(type.getSuperclass(), types);
        for (Class<?> implemented : type.getInterfaces()) collect(implemented, types);
        types.add(type);
    }

    private static String describe(Method method, Class<?> type, String name) {
        if (method == null) return type.getName() + " " + name;
        String owner = method.getDeclaringClass().getName() + " " + method.getName();
        return owner + typeNames(method.getParameterTypes());
    }

    private static String constructorTypes(Class<?> type, Object[] args) {
        for (Constructor<?> constructor : type.getConstructors()) {
            if (accepts(constructor.getParameterTypes(), args, constructor.isVarArgs())) {
                return typeNames(constructor.getParameterTypes());
            }
        }
        return "";
    }

    private static String typeNames(Class<?>[] types) {
        return Arrays.stream(types).map(type -> " " + type.getCanonicalName()).collect(Collectors.joining());
    }
}
