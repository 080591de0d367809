import groovy.transform.CompileStatic

/**
 * The calls that Job DSL's API viewer documents and the seed script uses; the XML is what Job DSL's templates and
 * classes make of them. A call that is not here fails.
 */
abstract class DslScript extends Script implements Context {
    private File workspace
    private final Map<String, Node> items = [:]

    /** @return config.xml by name of what the script makes */
    Map<String, Node> runIn(File workspace) {
        this.@workspace = workspace
        run()
        this.@items
    }

    /** since 1.23 */
    void folder(String name, Closure closure) {
        add(name, Contexts.run(closure, new FolderContext()).node)
    }

    /** since 1.47 */
    void pipelineJob(String name, Closure closure) {
        add(name, Contexts.run(closure, new PipelineJobContext()).finished())
    }

    String readFileFromWorkspace(String path) {
        if (path.startsWith('/') || path.contains('..')) throw new IllegalArgumentException("outside of the workspace: $path")
        new File(this.@workspace, path).getText('UTF-8')
    }

    private void add(String name, Node node) {
        if (this.@items.put(name, node) != null) throw new IllegalStateException("$name is made twice")
    }
}

class FolderContext implements Context {
    final Node node = new Node(null, 'com.cloudbees.hudson.plugins.folder.Folder')

    void description(String text) {
        node.appendNode('description', text)
    }
}

class PipelineJobContext implements Context {
    private static final List ORDER = ['description', 'keepDependencies', 'properties', 'definition', 'disabled', 'quietPeriod']
    private final Map<String, Object> elements = [keepDependencies: false]
    private final List<Node> jobProperties = []

    void description(String text) { elements.description = text }

    void disabled(boolean disabled) { elements.disabled = disabled }

    /** since 1.16 */
    void quietPeriod(int seconds) { elements.quietPeriod = seconds }

    /** since 1.15 */
    void parameters(Closure closure) {
        def property = new Node(null, 'hudson.model.ParametersDefinitionProperty')
        def definitions = property.appendNode('parameterDefinitions')
        Contexts.run(closure, new ParametersContext()).definitions.each { definitions.append(it) }
        jobProperties << property
    }

    void properties(Closure closure) {
        jobProperties.addAll(Contexts.run(closure, new DynamicContext('properties', DynamicTypes.JOB_PROPERTIES)).nodes)
    }

    void definition(Closure closure) {
        elements.definition = Contexts.run(closure, new DefinitionContext()).node
    }

    /** deprecated since 1.77: a seed with unstableOnDeprecation would be unstable */
    void triggers(Closure closure) { throw new DeprecatedCall('triggers', '1.77') }

    /** deprecated since 1.76 */
    void concurrentBuild(boolean allow = true) { throw new DeprecatedCall('concurrentBuild', '1.76') }

    Node finished() {
        def job = new Node(null, 'flow-definition')
        elements.properties = jobProperties
        ORDER.each { name ->
            def value = elements[name]
            if (value instanceof Node) job.append(value)
            else if (value instanceof List) value.inject(job.appendNode(name)) { Node all, Node one -> all.append(one); all }
            else if (value != null) job.appendNode(name, value)
        }
        job
    }
}

class ParametersContext implements Context {
    final List<Node> definitions = []

    void stringParam(String name, String defaultValue, String description) {
        def definition = start('hudson.model.StringParameterDefinition', name, description)
        definition.appendNode('defaultValue', defaultValue)
    }

    void choiceParam(String name, List<String> options, String description) {
        def definition = start('hudson.model.ChoiceParameterDefinition', name, description)
        def array = definition.appendNode('choices', [class: 'java.util.Arrays$ArrayList']).appendNode('a', [class: 'string-array'])
        options.each { String option -> array.appendNode('string', option) }
    }

    private Node start(String type, String name, String description) {
        if (!name) throw new IllegalArgumentException('a parameter needs a name')
        def definition = new Node(null, type)
        definition.appendNode('name', name)
        definition.appendNode('description', description)
        definitions << definition
        definition
    }
}

class DefinitionContext implements Context {
    Node node

    void cps(Closure closure) {
        def context = Contexts.run(closure, new CpsContext())
        node = new Node(null, 'definition', [class: 'org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition'])
        node.appendNode('script', context.text)
        node.appendNode('sandbox', context.sandboxed)
    }
}

class CpsContext implements Context {
    String text = ''
    boolean sandboxed = false

    void script(String text) { this.text = text }

    void sandbox(boolean sandbox = true) { sandboxed = sandbox }
}

@CompileStatic
class DeprecatedCall extends RuntimeException {
    DeprecatedCall(String call, String since) { super("$call is deprecated since Job DSL $since") }
}
