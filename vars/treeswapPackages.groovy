/** Builds what has changed of a pacman repo and, where something was built, publishes it. See treeswapPackages.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapPackages', options, [
        'repo', 'rebuild', 'full', 'publish', 'publisher', 'publishOver', 'signing', 'passphrase', 'junit', 'agent', 'timeout',
        'credentials', 'config',
    ]
    String credentials = options.credentials == null ? 'treeswap-read' : options.credentials
    Map values = treeswapJob(options) { config ->
        treeswap([
            step: 'packages', repo: options.repo, rebuild: options.rebuild, full: options.full, junit: options.junit, config: config,
        ], [credentials: credentials])
    }
    if (values.unchanged) {
        currentBuild.result = 'NOT_BUILT'
        return
    }
    if (options.publish == false) return
    try {
        treeswapPublish(
            tree: options.repo, job: env.JOB_NAME, number: env.BUILD_NUMBER, publisher: options.publisher,
            publishOver: options.publishOver, signing: options.signing, passphrase: options.passphrase, agent: options.agent,
            timeout: options.timeout, credentials: credentials, config: options.config,
        )
    } catch (IOException failed) {
        // not failed: the next build goes on from this one, and so never makes other files of the same names
        unstable "built, but not published: ${failed.message}"
    }
}
