package treeswap;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/** Differences between groovy-cps 1.24, which has the sandbox's hooks on Maven Central, and 1.31. */
final class Suspension {
    private Suspension() {}

    /** Leaves the program; it goes on with whatever Continuable.run0 is given next. */
    static Object suspend(StepCall call) {
        Method named;
        try {
            named = Continuable.class.getMethod("suspend", String.class, Object.class);
        } catch (NoSuchMethodException old) {
            return Continuable.suspend(call);
        }
        try {
            return named.invoke(null, call.name, call);
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Error) throw (Error) thrown.getCause();
            throw new IllegalStateException(thrown.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /**
     * Tells of steps that are called where the program cannot be left (@NonCPS, a closure that Java code calls): what
     * follows them would be skipped without a word.
     */
    static void reportMismatches(java.util.function.Consumer<String> report) {
        Class<?> handler;
        try {
            handler = Class.forName(CpsCallableInvocation.class.getName() + "$MismatchHandler");
        } catch (ClassNotFoundException old) {
            return;
        }
        Object proxy = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, (self, method, args) -> {
            report.accept("expected to call " + args[1] + " but wound up catching " + args[3] + ": the rest is skipped");
            return null;
        });
        try {
            CpsCallableInvocation.class.getMethod("registerMismatchHandler", handler).invoke(null, proxy);
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
