/** Prints of each soname that is asked for which files the dynamic linker has for it, by the path of the file itself. */
export const LIST_LIBRARIES = `ldconfig 2> /dev/null
known=$(ldconfig -p)
for one; do printf '%s\\n' "$known" | grep -F "	$one (" || :; done | while read -r line; do
  printf '%s => %s\\n' "\${line% => *}" "$(readlink -f -- "\${line##* => }")"
done
`

/** As many sonames are asked for as fit into a command line for sure; no package needs a tenth of it. */
const MOST = 5000

interface CachedLibrary {
  /** with the ELF class, as in PackageRecord: `libfoo.so.1=64` */
  soname: string
  path: string
}

/** Sonames as LIST_LIBRARIES takes them. */
export function withoutClass(sonames: Iterable<string>): string[] {
  return [...new Set([...sonames].map((soname) => soname.replace(/=\d+$/, '')))].slice(0, MOST)
}

/**
 * A line of what LIST_LIBRARIES prints; undefined for every other line. What is said of the architecture is
 * glibc's own (elf/cache.c, print_entry): of those with 32 bits it says nothing, or names them.
 */
export function parseLibrary(line: string): CachedLibrary | undefined {
  const [, name, flags, path] = /^\s*(\S+) \(([^()]*)\) => (\/.*)$/.exec(line) ?? []
  if (name === undefined || flags === undefined || path === undefined) return undefined
  return { soname: `${name}=${/x86-64|64bit|AArch64|double-float/.test(flags) ? 64 : 32}`, path }
}
