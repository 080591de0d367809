/**
 * The frame of a job: an agent, a time limit, the configuration. See treeswapJob.txt.
 * @param body gets the path of the configuration, or null: then the runner takes the agent's own
 */
def call(Map options, Closure body) {
    treeswapOptions 'treeswapJob', [config: options.config], ['config']
    node(options.agent ?: 'treeswap') {
        timeout(time: options.timeout ?: 720, unit: 'MINUTES') {
            body(configuration(options.config, options.poll == true))
        }
    }
}

private String configuration(Object given, boolean poll) {
    Object config = given == null ? ownRepository() : given
    if (config == null) return null
    if (config instanceof Map) {
        treeswapCheckout([url: config.url, branch: config.branch, credentials: config.credentials], [directory: 'config', poll: poll])
        return "config/${config.path ?: 'treeswap.yaml'}"
    }
    checkout poll: poll, changelog: poll, scm: config
    // a repository that was not asked for may hold the script alone
    return given != null || fileExists('treeswap.yaml') ? 'treeswap.yaml' : null
}

/** The one that the job's script came from; null where the script is the job's own text. */
private Object ownRepository() {
    try {
        return scm
    } catch (Exception none) {
        return null
    }
}
