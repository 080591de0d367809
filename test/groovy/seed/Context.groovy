/** What a closure of the script may be run in. Job DSL's sandbox lets a script call the methods of its contexts. */
interface Context {}

/** Runs a closure as Job DSL does: the context first, then what is around the closure. */
class Contexts {
    static <C extends Context> C run(Closure closure, C context) {
        closure.delegate = context
        closure.resolveStrategy = Closure.DELEGATE_FIRST
        closure.call()
        context
    }
}
