/** Succeeds where a pacman repo has something new to build, and ends as NOT_BUILT where it has not. See treeswapPoll.txt. */
def call(Map options = [:]) {
    treeswapOptions 'treeswapPoll', options, ['repo', 'agent', 'timeout', 'credentials', 'config']
    String credentials = options.credentials == null ? 'treeswap-read' : options.credentials
    Map values = treeswapJob(options) { config ->
        treeswap([step: 'poll', repo: options.repo, config: config], [credentials: credentials])
    }
    if (values.unchanged) currentBuild.result = 'NOT_BUILT'
}
