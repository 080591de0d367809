/**
 * A root file system in which makepkg and pacman work as in Arch's, without Arch: Debian's minimal system with its
 * packages of both. A package that is installed for pacman stands for everything that Debian brought.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianRoot } from './debian-root.js'
import type { Told } from './debian-root.js'

/** makepkg has what pacman-key is made of. */
const programs = ['pacman-package-manager', 'makepkg', 'gnupg', 'curl', 'ca-certificates', 'xz-utils', 'zstd']
const builder = ['libarchive-tools', 'fakeroot', 'gcc', 'libc6-dev', 'make', 'patch', 'file', 'git']

/** What recipes may depend on though no repo has it. */
const provided = ['glibc', 'gcc', 'make', 'bash', 'sh', 'git', 'coreutils', 'pacman']

const configuration = `[options]
Architecture = x86_64
SigLevel = Required DatabaseOptional
LocalFileSigLevel = Optional
`

/** As `pacman` keeps an installed package (alpm's local database, version 9). */
const base = `%NAME%
debian-base

%VERSION%
12-1

%DESC%
Stands for what Debian installed

%ARCH%
any

%PROVIDES%
${provided.join('\n')}

`

/** Path of a root with compiler, makepkg and pacman. */
export async function pacmanBuilderRoot(tell: Told): Promise<string> {
  return await root('builder', [...programs, ...builder], tell)
}

/** The same without a compiler: what is installed here cannot have been compiled here. */
export async function pacmanClientRoot(tell: Told): Promise<string> {
  return await root('client', programs, tell)
}

async function root(kind: string, packages: string[], tell: Told): Promise<string> {
  const finish = (directory: string): Promise<void> => {
    const database = join(directory, 'var/lib/pacman')
    mkdirSync(join(database, 'local/debian-base-12-1'), { recursive: true })
    mkdirSync(join(database, 'sync'), { recursive: true })
    writeFileSync(join(database, 'local/ALPM_DB_VERSION'), '9\n')
    writeFileSync(join(database, 'local/debian-base-12-1/desc'), base)
    writeFileSync(join(database, 'local/debian-base-12-1/files'), '')
    writeFileSync(join(directory, 'etc/pacman.conf'), configuration)
    if (kind === 'builder') appendFileSync(join(directory, 'etc/makepkg.conf'), "\nPKGEXT='.pkg.tar.zst'\n")
    return Promise.resolve()
  }
  return await debianRoot({ name: `pacman-root-${kind}`, packages, recipe: { configuration, base }, finish }, tell)
}
