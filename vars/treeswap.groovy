import groovy.json.JsonOutput

/**
 * Calls the runner once, and does with the build what its result says. See treeswap.txt.
 * @param access ids of credentials that the runner gets: credentials (user and token for Jenkins), key (SSH), signing (file)
 *   and passphrase (text) of the key that signs
 * @return the result's values
 */
Map call(Map request, Map access = [:]) {
    String place = "${pwd(tmp: true)}/treeswap"
    String sum = libraryResource(resource: 'treeswap/treeswap.mjs.sha256', encoding: 'UTF-8').trim()
    String bundle = "${place}/${sum}/treeswap.mjs"
    if (!env.TREESWAP_RUNNER && !fileExists(bundle)) {
        writeFile file: bundle, encoding: 'UTF-8', text: libraryResource(resource: 'treeswap/treeswap.mjs', encoding: 'UTF-8')
    }
    Map whole = [schema: 1, job: env.JOB_NAME, number: env.BUILD_NUMBER] + request
    writeFile file: "${place}/request.json", encoding: 'UTF-8', text: JsonOutput.toJson(whole)
    int code = start(request.step, access, ["TREESWAP_PLACE=${place}", "TREESWAP_SUM=${sum}"])
    return treeswapResult("${place}/result.json", code, request.junit == true)
}

private int start(String step, Map access, List variables) {
    List bindings = []
    if (access.credentials) {
        bindings << usernamePassword(
            credentialsId: access.credentials, usernameVariable: 'TREESWAP_JENKINS_USER', passwordVariable: 'TREESWAP_JENKINS_TOKEN',
        )
    }
    if (access.signing) bindings << file(credentialsId: access.signing, variable: 'TREESWAP_SIGNING_KEY')
    if (access.passphrase) bindings << string(credentialsId: access.passphrase, variable: 'TREESWAP_SIGNING_PASSPHRASE')
    if (access.key) bindings << sshUserPrivateKey(credentialsId: access.key, keyFileVariable: 'TREESWAP_SSH_KEY')
    String script = libraryResource(resource: 'treeswap/run.sh', encoding: 'UTF-8')
    withEnv(variables) {
        withCredentials(bindings) {
            return sh(label: "treeswap ${step}", returnStatus: true, script: script)
        }
    }
}
