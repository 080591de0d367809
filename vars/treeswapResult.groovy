import groovy.json.JsonSlurper

/** Does with the build what the runner's result says. Called by treeswap; see treeswap.txt. */
Map call(String file, int code, boolean hasJunit) {
    Map result = [status: 'failed', category: 'infrastructure', message: "the runner ended with exit code ${code}", hint: 'see above why']
    // with another code it was not the runner that ended, and the file may be that of the call before
    if ([0, 3, 10, 11, 12, 13].contains(code) && fileExists(file)) {
        Map written = parse(readFile(file: file, encoding: 'UTF-8'))
        if (code == 0 || written.status != 'ok') result = written
    }
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
