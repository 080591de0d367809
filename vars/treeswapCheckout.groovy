import java.util.regex.Pattern

/**
 * Checks out a git repository, so that Jenkins polls it. See treeswapCheckout.txt.
 * @param source url, branch (default: that of the remote), credentials, path (only changes below it count)
 * @param how directory, poll (default: true), shallow
 */
def call(Map source, Map how = [:]) {
    Map remote = [url: source.url]
    if (source.credentials) remote.credentialsId = source.credentials
    if (!source.branch) remote.refspec = '+HEAD:refs/remotes/origin/HEAD'
    List extensions = [[$class: 'CleanBeforeCheckout']]
    if (how.directory) extensions << [$class: 'RelativeTargetDirectory', relativeTargetDir: how.directory]
    if (how.shallow) extensions << [$class: 'CloneOption', shallow: true, depth: 1, noTags: true, honorRefspec: true]
    if (source.path) {
        extensions << [$class: 'PathRestriction', includedRegions: "${Pattern.quote(source.path)}/.*", excludedRegions: '']
    }
    boolean poll = how.poll != false
    return checkout(poll: poll, changelog: poll, scm: [
        $class: 'GitSCM',
        branches: [[name: source.branch ? "refs/heads/${source.branch}" : 'origin/HEAD']],
        userRemoteConfigs: [remote],
        extensions: extensions,
    ])
}
