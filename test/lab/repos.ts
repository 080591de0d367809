/** The git repositories of the lab: main ebuild repo, overlay, profiles. Their first state lies in test/lab/repos. */
import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GitRepo } from './git-repo.js'

export interface Repos {
  gentoo: GitRepo
  overlay: GitRepo
  /** etc-portage/ and world of machine `database` lie in its directory `database` */
  profile: GitRepo
}

const template = new URL('repos/', import.meta.url).pathname

/**
 * @param distfiles directory with the sources of the ebuilds
 * @param mirror base URL that serves them as `distfiles/FILE`
 */
export async function makeRepos(directory: string, distfiles: string, mirror: string): Promise<Repos> {
  cpSync(template, directory, { recursive: true, verbatimSymlinks: true })
  writeManifests(join(directory, 'gentoo'), distfiles)
  const makeConf = join(directory, 'profile/database/etc-portage/make.conf')
  writeFileSync(makeConf, readFileSync(makeConf, 'utf8').replace('@MIRROR@', mirror))
  return {
    gentoo: await GitRepo.create(join(directory, 'gentoo')),
    overlay: await GitRepo.create(join(directory, 'overlay')),
    profile: await GitRepo.create(join(directory, 'profile')),
  }
}

/** Thin manifests: they list what has to be fetched, the rest is git's. */
function writeManifests(repo: string, distfiles: string): void {
  for (const category of readdirSync(repo)) {
    if (!category.includes('-')) continue
    for (const name of readdirSync(join(repo, category))) {
      const lines = readdirSync(distfiles)
        .filter((file) => file.startsWith(`${name}-`))
        .map((file) => manifestLine(file, readFileSync(join(distfiles, file))))
      if (lines.length > 0) writeFileSync(join(repo, category, name, 'Manifest'), lines.join(''))
    }
  }
}

/** GLEP 74. */
function manifestLine(file: string, content: Buffer): string {
  const sum = (algorithm: string): string => createHash(algorithm).update(content).digest('hex')
  return `DIST ${file} ${content.length} BLAKE2B ${sum('blake2b512')} SHA512 ${sum('sha512')}\n`
}
