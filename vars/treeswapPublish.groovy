/** Publishes a build: the running one of this job, or the one that an operator names. See treeswapPublish.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapPublish', options, [
        'tree', 'reference', 'job', 'number', 'publisher', 'publishOver', 'signing', 'passphrase', 'agent', 'timeout', 'credentials',
        'config',
    ]
    Map over = options.publishOver
    String agent = over ? options.agent : options.publisher ?: 'publisher'
    treeswapJob([agent: agent, timeout: options.timeout, config: options.config]) { config ->
        String credentials = options.credentials == null ? 'treeswap-read' : options.credentials
        Map running = options.number ? [running: true, job: options.job ?: env.JOB_NAME, number: options.number] : [:]
        Map request = [step: 'publish', tree: options.tree, reference: options.reference, over: over != null, config: config]
        treeswap(request + running, [
            credentials: credentials, key: over?.credentials, signing: options.signing, passphrase: options.passphrase,
        ])
    }
}
