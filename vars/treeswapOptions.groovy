/** Stops the build at an option that a step does not have, and names the one that was meant. See treeswapOptions.txt. */
void call(String step, Map options, List known) {
    String wrong = complaint(step, options, known) ?: complaintOfMaps(step, options)
    if (wrong) error wrong
}

/** Options that are maps: publishOver is written by people with credentials alone, by generated jobs with all that there is. */
@NonCPS
private String complaintOfMaps(String step, Map options) {
    // anything else than a map is a repository of Jenkins' own: scm
    String wrong = options.config instanceof Map
        ? complaint("config of ${step}", options.config, ['url', 'branch', 'credentials', 'path'])
        : null
    if (!wrong && options.passphrase && !options.signing) {
        return "configuration: ${step} has a passphrase for no key: write signing, the id of the file with the key, too."
    }
    if (wrong || !options.publishOver) return wrong
    if (options.signing) {
        return "configuration: signing of ${step} is for a publisher that is an agent: without it, the host that is asked over " +
            'SSH signs with the key that its own treeswap.yaml names.'
    }
    if (options.publishOver instanceof Map) {
        return complaint("publishOver of ${step}", options.publishOver, ['credentials', 'host', 'port', 'user', 'hostKey'])
    }
    return "configuration: publishOver of ${step} is no map: write publishOver: [credentials: ID]."
}

@NonCPS
private String complaint(String step, Map options, List known) {
    for (String name in options.keySet()) {
        if (known.contains(name)) continue
        String nearest = known.get(0)
        for (String candidate in known) {
            if (likeness(name, candidate) > likeness(name, nearest)) nearest = candidate
        }
        return "configuration: ${step} has no option ${name}: did you mean ${nearest}? It has ${known.join(', ')}."
    }
    return null
}

/** Letters that agree at both ends: what is mistyped lies between. */
@NonCPS
private int likeness(String given, String candidate) {
    int most = Math.min(given.length(), candidate.length())
    int start = 0
    int end = 0
    while (start < most && given.charAt(start) == candidate.charAt(start)) start++
    while (end < most - start && given.charAt(given.length() - 1 - end) == candidate.charAt(candidate.length() - 1 - end)) end++
    return 2 * (start + end) - candidate.length()
}
