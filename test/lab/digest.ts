/** What a directory holds, for comparisons that trust neither size nor time. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Relative path → sha256 of the file, or the target of the link. */
export type Digest = Map<string, string>

/** @param ignore paths relative to `directory` that are left out, with all below them */
export function digestOf(directory: string, ignore: readonly string[] = []): Digest {
  const digest: Digest = new Map()
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(directory, path), { withFileTypes: true })) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`
      if (ignore.includes(name)) continue
      if (entry.isDirectory()) visit(name)
      else digest.set(name, contentOf(join(directory, name), entry.isSymbolicLink()))
    }
  }
  visit('')
  return digest
}

function contentOf(path: string, isLink: boolean): string {
  return isLink ? `-> ${readlinkSync(path)}` : createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** Paths that differ, with what is wrong about them; empty where both hold the same. */
export function differences(expected: Digest, found: Digest): string[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort()
  return paths.flatMap((path) => {
    if (expected.get(path) === found.get(path)) return []
    return [`${path} ${!found.has(path) ? 'is missing' : !expected.has(path) ? 'should not be there' : 'differs'}`]
  })
}
