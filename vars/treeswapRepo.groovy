/** Archives a snapshot of an ebuild repo. See treeswapRepo.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapRepo', options, ['repo', 'agent', 'timeout', 'credentials', 'config']
    treeswapJob(options) { config ->
        Map source = treeswap(step: 'describe', repo: options.repo, config: config)
        treeswapCheckout(source, [directory: 'repo', shallow: true])
        Map access = [credentials: options.credentials == null ? 'treeswap-read' : options.credentials]
        treeswap([step: 'snapshot', repo: options.repo, directory: 'repo', config: config], access)
    }
}
