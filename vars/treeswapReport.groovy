/** Says what is published, as the build's description and an artifact. See treeswapReport.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapReport', options, ['tree', 'publisher', 'timeout', 'config']
    treeswapJob([agent: options.publisher ?: 'publisher', timeout: options.timeout ?: 30, config: options.config]) { config ->
        return treeswap(step: 'report', tree: options.tree, config: config)
    }
}
