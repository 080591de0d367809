import { sumsOf } from '../system/hash.js'
import type { Refuse } from './gpkg.js'

/** What the Manifest of a binary package says of a file in it. */
export interface FileDigests {
  size: number
  /** in lower-case hexadecimal digits, by the names that Manifests give them (GLEP 74) */
  SHA512?: string
  BLAKE2B?: string
}

/** Sums of a file that is read. */
export function digesting(): { update(chunk: Uint8Array): void; digest(): Required<FileDigests> } {
  const sums = sumsOf('sha512', 'blake2b512')
  let size = 0
  return {
    update(chunk) {
      sums.update(chunk)
      size += chunk.length
    },
    digest() {
      const { sha512, blake2b512 } = sums.digest()
      return { size, SHA512: sha512, BLAKE2B: blake2b512 }
    },
  }
}

/** Whether a file is what a Manifest says: by its size and by every sum that is there, at least one. */
export function agrees(said: FileDigests, found: Required<FileDigests>): boolean {
  const sums = (['SHA512', 'BLAKE2B'] as const).filter((name) => said[name] !== undefined)
  return sums.length > 0 && said.size === found.size && sums.every((name) => said[name] === found[name])
}

const lines = /^DATA ([^\s/]+) ([0-9]{1,15})((?: [A-Z0-9_]+ [0-9a-f]+)+)$/

/**
 * Reads a Manifest, signed or not.
 * @returns name of each file → what is said of it
 */
export function parseManifest(text: string, refuse: Refuse): Map<string, FileDigests> {
  const files = new Map<string, FileDigests>()
  for (const line of withoutArmor(text).split(/\r?\n/)) {
    if (line.trim() === '') continue
    const [, name = '', size, sums = ''] = lines.exec(line) ?? []
    if (size === undefined) throw refuse('its Manifest has a line that is none of a Manifest')
    if (files.has(name)) throw refuse(`its Manifest has ${name} twice`)
    files.set(name, { size: Number(size), ...sumsIn(sums) })
  }
  return files
}

/** One line a file, as Portage writes it; no line break at the end. */
export function formatManifest(files: Iterable<[name: string, digests: Required<FileDigests>]>): string {
  return Array.from(files, ([name, { size, SHA512, BLAKE2B }]) => {
    return `DATA ${name} ${size} SHA512 ${SHA512} BLAKE2B ${BLAKE2B}`
  }).join('\n')
}

function sumsIn(words: string): Pick<FileDigests, 'SHA512' | 'BLAKE2B'> {
  const sums = new Map([...words.matchAll(/ (\S+) (\S+)/g)].map(([, name, sum]) => [name, sum]))
  const [SHA512, BLAKE2B] = [sums.get('SHA512'), sums.get('BLAKE2B')]
  return { ...(SHA512 !== undefined && { SHA512 }), ...(BLAKE2B !== undefined && { BLAKE2B }) }
}

/** What a cleartext signature (RFC 9580, section 7) is of; DATA lines need no dash escape. */
function withoutArmor(text: string): string {
  return (
    /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n[\s\S]*?\r?\n\r?\n([\s\S]*?)-----BEGIN PGP SIGNATURE-----/.exec(
      text,
    )?.[1] ?? text
  )
}
