package treeswap;

import com.cloudbees.groovy.cps.SerializableScript;
import groovy.lang.Closure;
import groovy.lang.MissingPropertyException;
import java.io.ObjectStreamException;
import org.codehaus.groovy.runtime.InvokerHelper;

/** Base class of the job's script and of the library's variables: unknown methods are steps or variables. */
public abstract class PipelineScript extends SerializableScript {
    private static final long serialVersionUID = 1L;

    @Override
    public Object invokeMethod(String name, Object arguments) {
        Object variable = Engine.current().variable(name);
        if (variable instanceof Closure || variable instanceof PipelineScript) {
            return InvokerHelper.invokeMethod(variable, "call", arguments);
        }
        return Engine.current().callStep(StepCall.of(name, arguments));
    }

    @Override
    public Object getProperty(String property) {
        if (getBinding().hasVariable(property)) return getBinding().getVariable(property);
        Object variable = Engine.current().variable(property);
        if (variable != null) return variable;
        if (getMetaClass().hasProperty(this, property) != null) return getMetaClass().getProperty(this, property);
        throw new MissingPropertyException(property, getClass());
    }

    /** A script that comes back from disk has an empty binding: Jenkins gives it the program's. */
    protected Object readResolve() throws ObjectStreamException {
        setBinding(Engine.current().binding());
        return this;
    }
}
