/** Stops the build at an option that a step does not have, and names the one that was meant. See treeswapOptions.txt. */
void call(String step, Map options, List known) {
    String wrong = complaint(step, options, known)
    if (wrong) error wrong
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
