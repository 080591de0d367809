/**
 * Job DSL's dynamic part, which exists inside Jenkins only: a call stands for a class with that symbol, calls inside it
 * for the parameters of its data-bound constructor (all of them required) and its setters. The table has what the seed
 * script needs of workflow-job 2.4, structs and the core.
 */
class DynamicType {
    /** element in config.xml */
    String element
    /** parameter → class of its value, or a map of types that a closure may choose from */
    Map<String, Object> required = [:]
    Map<String, Object> optional = [:]
    /** values → content of the element */
    Closure<?> fill = { Node node, Map values -> }
}

class DynamicTypes {
    private static final String PROPERTIES = 'org.jenkinsci.plugins.workflow.job.properties'

    static final Map TRIGGERS = [
        pollSCM: new DynamicType(
            element: 'hudson.triggers.SCMTrigger',
            required: [scmpoll_spec: String],
            optional: [ignorePostCommitHooks: Boolean],
            fill: { Node node, Map values ->
                node.appendNode('spec', values.scmpoll_spec)
                node.appendNode('ignorePostCommitHooks', values.ignorePostCommitHooks ?: false)
            }),
        cron: new DynamicType(
            element: 'hudson.triggers.TimerTrigger',
            required: [spec: String],
            fill: { Node node, Map values -> node.appendNode('spec', values.spec) }),
        upstream: new DynamicType(
            element: 'jenkins.triggers.ReverseBuildTrigger',
            required: [upstreamProjects: String],
            fill: { Node node, Map values ->
                node.appendNode('spec', '')
                node.appendNode('upstreamProjects', values.upstreamProjects)
                def threshold = node.appendNode('threshold')
                [name: 'SUCCESS', ordinal: 0, color: 'BLUE', completeBuild: true].each { threshold.appendNode(it.key, it.value) }
            }),
    ]

    static final Map STRATEGIES = [
        logRotator: new DynamicType(
            element: 'hudson.tasks.LogRotator',
            required: [daysToKeepStr: String, numToKeepStr: String, artifactDaysToKeepStr: String, artifactNumToKeepStr: String],
            fill: { Node node, Map values ->
                ['daysToKeep', 'numToKeep', 'artifactDaysToKeep', 'artifactNumToKeep'].each {
                    def text = values[it + 'Str']
                    node.appendNode(it, text == '' ? -1 : Integer.parseInt(text))
                }
            }),
    ]

    /** of the plugin Authorize Project; the last three serve its form only */
    static final Map AUTHORIZATIONS = [
        specificUsersAuthorizationStrategy: new DynamicType(
            element: 'org.jenkinsci.plugins.authorizeproject.strategy.SpecificUsersAuthorizationStrategy',
            required: [userid: String, useApitoken: Boolean, apitoken: String, password: String],
            fill: { Node node, Map values -> node.appendNode('userid', values.userid) }),
    ]

    static final Map JOB_PROPERTIES = [
        authorizeProjectProperty: new DynamicType(
            element: 'org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty',
            required: [strategy: AUTHORIZATIONS],
            fill: { Node node, Map values ->
                def strategy = values.strategy[-1]
                node.append(new Node(null, 'strategy', [class: strategy.name()], strategy.children()))
            }),
        disableConcurrentBuilds: new DynamicType(element: PROPERTIES + '.DisableConcurrentBuildsJobProperty'),
        buildDiscarder: new DynamicType(
            element: 'jenkins.model.BuildDiscarderProperty',
            required: [strategy: STRATEGIES],
            fill: { Node node, Map values ->
                def strategy = values.strategy[-1]
                node.append(new Node(null, 'strategy', [class: strategy.name()], strategy.children()))
            }),
        pipelineTriggers: new DynamicType(
            element: PROPERTIES + '.PipelineTriggersJobProperty',
            required: [triggers: TRIGGERS],
            fill: { Node node, Map values ->
                def triggers = node.appendNode('triggers')
                values.triggers.each { triggers.append(it) }
            }),
    ]
}

/** Takes calls that each make one object of the types it knows. */
class DynamicContext implements Context {
    private final String place
    private final Map<String, DynamicType> types
    final List<Node> nodes = []

    DynamicContext(String place, Map<String, DynamicType> types) {
        this.place = place
        this.types = types
    }

    Object methodMissing(String name, Object args) {
        Object[] given = (Object[]) args
        def type = types[name]
        if (type == null || given.length > 1 || (given.length == 1 && !(given[0] instanceof Closure))) {
            throw new MissingMethodException(name, DynamicContext, given)
        }
        def values = given.length == 0 ? [:] : Contexts.run((Closure) given[0], new DynamicParameters(name, type)).values
        def missing = type.required.keySet() - values.keySet()
        if (missing) throw new IllegalArgumentException("$place: $name lacks ${missing.join(', ')}")
        def node = new Node(null, type.element)
        type.fill.call(node, values)
        nodes << node
        null
    }
}

/** Takes the parameters of one object. */
class DynamicParameters implements Context {
    private final String place
    private final DynamicType type
    final Map<String, Object> values = [:]

    DynamicParameters(String place, DynamicType type) {
        this.place = place
        this.type = type
    }

    Object methodMissing(String name, Object args) {
        Object[] given = (Object[]) args
        def kind = type.required[name] ?: type.optional[name]
        if (kind == null || given.length != 1) throw new MissingMethodException(name, DynamicParameters, given)
        if (kind instanceof Map && given[0] instanceof Closure) {
            values[name] = Contexts.run((Closure) given[0], new DynamicContext("$place.$name", kind)).nodes
        } else if (kind instanceof Class && kind.isInstance(given[0])) {
            values[name] = given[0]
        } else {
            throw new IllegalArgumentException("$place.$name does not take ${given[0]?.getClass()?.name}")
        }
        null
    }
}
