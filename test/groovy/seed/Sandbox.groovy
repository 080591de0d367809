import org.kohsuke.groovy.sandbox.GroovyInterceptor

/**
 * Sees every call that Jenkins' script sandbox would check, and refuses what needs an approval. Allowed are the contexts
 * of Job DSL and these lines of the default whitelist of the Script Security plugin.
 */
class Sandbox extends GroovyInterceptor {
    private static final List<List> ALLOWED = [
        [groovy.json.JsonSlurper, 'parseText', [String]],
        [Map, 'get', [Object]],
        [Collection, 'each', [Closure]],
        [Collection, 'join', [String]],
        [Comparable, 'compareTo', [Object]],
        [Object, 'toString', []],
    ]
    private static final List<Class> MAKEABLE = [groovy.json.JsonSlurper, Exception]

    final Set<String> calls = new TreeSet<>()

    Object onMethodCall(GroovyInterceptor.Invoker invoker, Object receiver, String method, Object... args) throws Throwable {
        if (receiver instanceof Context) {
            // the sandbox takes unknown methods of dynamic contexts only
            def dynamic = receiver instanceof DynamicContext || receiver instanceof DynamicParameters
            if (method == 'invokeMethod' && !dynamic) throw new MissingMethodException((String) args[0], receiver.getClass(), (Object[]) args[1])
        } else if (receiver instanceof Closure) {
            // neither its context nor what is around it has such a method
            throw new MissingMethodException(method, receiver.delegate.getClass(), args)
        } else {
            def allowed = ALLOWED.find { it[0].isInstance(receiver) && it[1] == method && fits(it[2], args) }
            if (allowed == null) refuse("method ${receiver.getClass().name} $method ${args*.getClass()*.name.join(' ')}")
            calls << "method ${allowed[0].name} $method ${allowed[2]*.name.join(' ')}".trim()
        }
        super.onMethodCall(invoker, receiver, method, args)
    }

    Object onNewInstance(GroovyInterceptor.Invoker invoker, Class receiver, Object... args) throws Throwable {
        if (!(receiver in MAKEABLE)) refuse("new $receiver.name")
        calls << "new $receiver.name".toString()
        super.onNewInstance(invoker, receiver, args)
    }

    Object onStaticCall(GroovyInterceptor.Invoker invoker, Class receiver, String method, Object... args) {
        refuse("staticMethod $receiver.name $method")
    }

    Object onGetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String property) {
        refuse("property ${receiver.getClass().name} $property")
    }

    Object onSetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String property, Object value) {
        refuse("set property ${receiver.getClass().name} $property")
    }

    Object onGetAttribute(GroovyInterceptor.Invoker invoker, Object receiver, String attribute) {
        refuse("field ${receiver.getClass().name} $attribute")
    }

    Object onSetAttribute(GroovyInterceptor.Invoker invoker, Object receiver, String attribute, Object value) {
        refuse("set field ${receiver.getClass().name} $attribute")
    }

    Object onGetArray(GroovyInterceptor.Invoker invoker, Object receiver, Object index) { refuse('[]') }

    Object onSetArray(GroovyInterceptor.Invoker invoker, Object receiver, Object index, Object value) { refuse('[]=') }

    private static boolean fits(List<Class> types, Object[] args) {
        types.size() == args.length && [types, args as List].transpose().every { it[1] == null || it[0].isInstance(it[1]) }
    }

    private static Object refuse(String signature) {
        throw new SecurityException("the sandbox would ask for approval of: $signature")
    }
}
