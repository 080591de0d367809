import type { TarSink } from '../artifact/tar-sink.js'
import type { Context } from '../model/report.js'
import { keyParts } from '../signing/key-parts.js'
import { readEntries } from './package-file.js'

/** Of keyrings that are larger, Arch's own included, there are none. */
const LARGEST = 32 * 2 ** 20

/**
 * What a package with a keyring has clients trust (pacman-key(8), "Using pacman-key for keyring packages"), ours or
 * that of a recipe.
 * @returns fingerprint of each primary key that is trusted and not revoked → those of it and its subkeys, as clients
 * know them
 * @throws PACKAGE_INVALID, ABORTED, PROGRAM_MISSING
 */
export async function readKeyring(path: string, context: Context): Promise<Map<string, ReadonlySet<string>>> {
  const files = new Map<string, Buffer>()
  await readEntries(path, keyringSink(files), context)
  const lines = (end: string): string[] =>
    [...files].flatMap(([name, content]) => (name.endsWith(end) ? content.toString('latin1').split('\n') : []))
  const revoked = new Set(lines('-revoked').map((line) => line.trim().toUpperCase()))
  const trusted = new Set(
    lines('-trusted').flatMap((line) => /^([0-9A-Fa-f]{40}):/.exec(line)?.[1]?.toUpperCase() ?? []),
  )
  const known = new Map<string, ReadonlySet<string>>()
  for (const [name, content] of files) {
    if (!name.endsWith('.gpg')) continue
    for (const [primary, parts] of await keyParts(content)) {
      if (trusted.has(primary) && !revoked.has(primary)) known.set(primary, parts)
    }
  }
  return known
}

/** Keeps the files of keyrings, by their names. */
function keyringSink(files: Map<string, Buffer>): TarSink {
  const nameOf = (path: string): string | undefined => /^usr\/share\/pacman\/keyrings\/([^/]+)$/.exec(path)?.[1]
  return {
    directory: nothing,
    symlink: nothing,
    duplicate: nothing,
    file({ path }, content) {
      const name = nameOf(path)
      if (name !== undefined) files.set(name, Buffer.from(content))
    },
    largeFile(path, _executable, size) {
      const name = nameOf(path)
      const chunks: Buffer[] = []
      if (name === undefined || size > LARGEST) return { write: nothing, end: nothing, abandon: nothing }
      return {
        write: (chunk) => chunks.push(Buffer.from(chunk)),
        end: () => files.set(name, Buffer.concat(chunks)),
        abandon: nothing,
      }
    },
  }
}

function nothing(): void {
  // it is no keyring
}
