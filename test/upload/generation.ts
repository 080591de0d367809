import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Upload } from '../../src/upload/upload.js'

/** Packages by name and version, and what is in them. */
export type Packages = Record<string, string>

export const ARCH = 'os/x86_64'

const FIRST_STAMP = 1_700_000_000

/**
 * A generation as a publish leaves it, with a database that can be read without pacman: the sha256 of each package. It
 * names those of `packages`; `superseded` ones are beside it. Objects have their time from their content, index files
 * from the serial.
 */
export function generation(
  parent: string,
  serial: number,
  packages: Packages,
  { superseded = {}, signed = true, tree = 'extra' }: { superseded?: Packages; signed?: boolean; tree?: string } = {},
): Upload {
  const directory = join(parent, `${tree}.${serial}`)
  mkdirSync(join(directory, ARCH), { recursive: true })
  const write = (name: string, content: string, time = timeOf(content)): void => {
    const path = join(directory, ARCH, name)
    writeFileSync(path, content)
    utimesSync(path, time, time)
  }
  for (const [name, content] of Object.entries({ ...superseded, ...packages })) {
    write(fileOf(name), content)
    if (signed) write(`${fileOf(name)}.sig`, signature(content))
  }
  const named = Object.entries(packages).map(([name, content]) => [fileOf(name), sha256(content)])
  const database = JSON.stringify(Object.fromEntries(named))
  for (const [ending, content] of [
    ['files', `${database} and files`],
    ['db', database],
  ] as const) {
    write(`${tree}.${ending}`, content, FIRST_STAMP + serial)
    if (signed) write(`${tree}.${ending}.sig`, signature(content), FIRST_STAMP + serial)
  }
  writeFileSync(join(directory, '.treeswap.json'), '{}')
  mkdirSync(join(directory, '.profile'))
  writeFileSync(join(directory, '.profile/world'), 'not for clients')
  return { directory, tree, serial }
}

export function fileOf(name: string): string {
  return `${name}-x86_64.pkg.tar.zst`
}

/**
 * What a client finds wrong that installs everything the database names; undefined where nothing is.
 * @param tree directory of the tree on the web host
 */
export function trouble(tree: string, { signed = true, name = 'extra' } = {}): string | undefined {
  const read = (file: string): string => readFileSync(join(tree, ARCH, file), 'utf8')
  try {
    const database = read(`${name}.db`)
    for (const [file, sum] of Object.entries(JSON.parse(database) as Record<string, string>)) {
      const content = read(file)
      if (sha256(content) !== sum) return `${file} is not what the database names`
      if (signed && read(`${file}.sig`) !== signature(content)) return `${file}.sig is not of that package`
    }
    return undefined
  } catch (error) {
    return String(error)
  }
}

/** Whether database and signature are of one generation. */
export function databaseMatches(tree: string, name = 'extra'): boolean {
  const read = (file: string): string => readFileSync(join(tree, ARCH, file), 'utf8')
  return read(`${name}.db.sig`) === signature(read(`${name}.db`))
}

function signature(content: string): string {
  return `signature of ${sha256(content)}`
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

function timeOf(content: string): number {
  return Date.UTC(2001, 0, 1) / 1000 + (parseInt(sha256(content).slice(0, 8), 16) & 0x1fffffff)
}
