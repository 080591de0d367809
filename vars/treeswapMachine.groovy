/** Builds a machine's packages and, when all else has succeeded, publishes them. See treeswapMachine.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapMachine', options, [
        'machine', 'repos', 'target', 'full', 'publish', 'publisher', 'publishOver', 'signing', 'passphrase', 'junit', 'agent',
        'timeout', 'credentials', 'config',
    ]
    String credentials = options.credentials == null ? 'treeswap-read' : options.credentials
    treeswapJob(options) { config ->
        Map source = treeswap(step: 'describe', machine: options.machine, repos: options.repos, config: config)
        treeswapCheckout(source, [directory: 'profile'])
        treeswap([
            step: 'build', machine: options.machine, repos: options.repos, target: options.target, full: options.full,
            directory: 'profile', junit: options.junit, config: config,
        ], [credentials: credentials])
    }
    if (options.publish == false) return
    treeswapPublish(
        tree: options.machine, job: env.JOB_NAME, number: env.BUILD_NUMBER, publisher: options.publisher,
        publishOver: options.publishOver, signing: options.signing, passphrase: options.passphrase, agent: options.agent,
        timeout: options.timeout, credentials: credentials, config: options.config,
    )
}
