/**
 * The frame of a job: an agent, a time limit, the configuration. See treeswapJob.txt.
 * @param body gets the path of the configuration, or null: then the runner takes the agent's own
 */
def call(Map options, Closure body) {
    node(options.agent ?: 'treeswap') {
        timeout(time: options.timeout ?: 720, unit: 'MINUTES') {
            body(configuration(options.config, options.poll == true))
        }
    }
}

private String configuration(Object config, boolean poll) {
    if (config == null) return null
    if (!(config instanceof Map)) {
        // the repository that the job's own script came from
        checkout poll: poll, changelog: poll, scm: config
        return 'treeswap.yaml'
    }
    treeswapOptions 'config', config, ['url', 'branch', 'credentials', 'path']
    treeswapCheckout([url: config.url, branch: config.branch, credentials: config.credentials], [directory: 'config', poll: poll])
    return "config/${config.path ?: 'treeswap.yaml'}"
}
