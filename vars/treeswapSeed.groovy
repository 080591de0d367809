/** Makes the jobs of the configuration with Job DSL. See treeswapSeed.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapSeed', options, ['allowShrink', 'agent', 'timeout', 'config']
    treeswapJob([agent: options.agent, timeout: options.timeout ?: 30, config: options.config, poll: true]) { config ->
        treeswap(step: 'render-jobs', allowShrink: options.allowShrink, config: config)
        writeFile file: 'seed.groovy', encoding: 'UTF-8', text: libraryResource(resource: 'treeswap/seed.groovy', encoding: 'UTF-8')
        jobDsl(
            targets: 'seed.groovy', sandbox: true, lookupStrategy: 'SEED_JOB', removedJobAction: 'DISABLE',
            failOnMissingPlugin: true, failOnSeedCollision: true, unstableOnDeprecation: true,
        )
    }
}
