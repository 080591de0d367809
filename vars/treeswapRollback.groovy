/** Publishes an earlier build again. See treeswapRollback.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapRollback', options, [
        'tree', 'reference', 'publisher', 'publishOver', 'signing', 'passphrase', 'agent', 'timeout', 'credentials', 'config',
    ]
    Map over = options.publishOver
    String agent = over ? options.agent : options.publisher ?: 'publisher'
    treeswapJob([agent: agent, timeout: options.timeout, config: options.config]) { config ->
        Map request = [step: 'rollback', tree: options.tree, reference: options.reference, over: over != null, config: config]
        treeswap(request, [key: over?.credentials, signing: options.signing, passphrase: options.passphrase])
    }
}
