import groovy.json.JsonSlurper

/** Does with the build what the runner's result says. Called by treeswap; see treeswap.txt. */
Map call(String file, int code, boolean hasJunit) {
    Map result = fileExists(file)
        ? parse(readFile(file: file, encoding: 'UTF-8'))
        : [status: 'failed', category: 'infrastructure', message: "the runner ended with exit code ${code}", hint: 'see above why']
    if (result.description) currentBuild.description = result.description
    if (result.artifacts) archiveArtifacts artifacts: result.artifacts.join(',')
    if (result.junit && hasJunit) junit testResults: result.junit
    if (result.status == 'unstable') unstable result.message
    if (result.status == 'failed') error "${result.category}: ${result.message} – ${result.hint}"
    return result.values ?: [:]
}

/** Without JsonSlurper's own maps, which cannot be kept across a step. */
@NonCPS
private Object parse(String text) {
    return plain(new JsonSlurper().parseText(text))
}

@NonCPS
private Object plain(Object value) {
    if (value instanceof Map) return value.collectEntries { key, entry -> [(key): plain(entry)] }
    if (value instanceof List) return value.collect { entry -> plain(entry) }
    return value
}
