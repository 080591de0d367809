import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DatabaseEntry } from '../../src/arch/database.js'
import { readPackageFile } from '../../src/arch/package-file.js'
import { silent } from '../lab/silent.js'
import { makepkg } from './makepkg.js'
import { meta, rich, split } from './recipes.js'

/** Builds packages of every kind. @returns their paths, by name */
export function buildPackages(directory: string): string[] {
  return [
    ...makepkg(join(directory, 'meta'), meta, { ending: '.pkg.tar.xz' }),
    ...makepkg(join(directory, 'rich'), rich),
    ...makepkg(join(directory, 'split'), split, { ending: '.pkg.tar.gz' }),
  ]
}

/** What a publisher knows of a package file and the signature beside it. */
export async function entryOf(path: string): Promise<DatabaseEntry> {
  const content = readFileSync(path)
  const hash = (algorithm: string): string => createHash(algorithm).update(content).digest('hex')
  return {
    record: await readPackageFile(path, silent),
    file: basename(path),
    size: content.length,
    sha256: hash('sha256'),
    md5: hash('md5'),
    ...(existsSync(`${path}.sig`) && { signature: readFileSync(`${path}.sig`) }),
  }
}

/** A repo as people make one: NAME.db and NAME.files, by the real repo-add, beside the packages. */
export function repoAdd(directory: string, name: string, packages: string[]): void {
  mkdirSync(directory)
  const files = packages.flatMap((path) => [path, `${path}.sig`].filter(existsSync))
  for (const file of files) copyFileSync(file, join(directory, basename(file)))
  const args = [
    '--quiet',
    join(directory, `${name}.db.tar.gz`),
    ...packages.map((path) => join(directory, basename(path))),
  ]
  // in another locale bsdtar writes names of files beyond ASCII in octal
  execFileSync('repo-add', args, { env: { ...process.env, LC_ALL: 'C.UTF-8' }, stdio: 'pipe' })
}

/** What is in a database: path → text, by the real bsdtar. */
export function contentOf(database: string, scratch: string): Record<string, string> {
  mkdirSync(scratch)
  execFileSync('bsdtar', ['-xf', database, '-C', scratch])
  const files = readdirSync(scratch, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((file) => join(file.parentPath, file.name))
  return Object.fromEntries(paths.map((path) => [path.slice(scratch.length + 1), readFileSync(path, 'utf8')]))
}

/** The real pacman with nothing of the host's: one repo, a root of its own. */
export function pacmanFor(directory: string, repo: string, server: string): (...args: string[]) => string {
  const path = (name: string): string => join(directory, name)
  for (const name of ['root', 'db', 'cache', 'gpg', 'hooks']) mkdirSync(path(name), { recursive: true })
  const options = [
    ...[
      `RootDir = ${path('root')}`,
      `DBPath = ${path('db')}`,
      `CacheDir = ${path('cache')}`,
      `GPGDir = ${path('gpg')}`,
    ],
    ...[`LogFile = ${path('log')}`, `HookDir = ${path('hooks')}`, 'Architecture = x86_64', 'SigLevel = Never'],
  ]
  writeFileSync(path('pacman.conf'), ['[options]', ...options, `[${repo}]`, `Server = file://${server}`, ''].join('\n'))
  // fakeroot: pacman asks for root before it syncs, whatever it writes to
  return (...args) =>
    execFileSync('fakeroot', ['pacman', '--config', path('pacman.conf'), '--noconfirm', ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', COLUMNS: '1000' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
}
