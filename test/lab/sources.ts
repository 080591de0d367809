/** Sources as their authors released them, out of Debian's source packages. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, runAny } from '../../src/system/process.js'
import { cachedDirectory, recipeKey } from './cache.js'
import type { Told } from './debian-root.js'

/** Debian source package → the name under which upstream releases the tarball. */
const wanted = {
  hello: 'hello-2.10.tar.gz',
  lzlib: 'lzlib-1.13.tar.xz',
  tinycdb: 'tinycdb-0.78.tar.gz',
  utf8proc: 'utf8proc-2.8.0.tar.gz',
}

const upstreamFile = /^[a-z0-9]+_[0-9.]+(\.orig)?\.tar\.(gz|xz)$/

/** @returns a directory with the tarballs that the lab's ebuilds name in SRC_URI */
export async function distfiles(tell: Told): Promise<string> {
  return await cachedDirectory(`distfiles-${recipeKey(wanted)}`, async (directory) => {
    tell(`fetching the sources of ${Object.keys(wanted).join(', ')} (once)`)
    const work = `${directory}.apt`
    rmSync(work, { recursive: true, force: true })
    const apt = privateApt(work)
    await runAny('apt-get', [...apt, 'update'])
    for (const [name, file] of Object.entries(wanted)) {
      const download = join(work, name)
      mkdirSync(download)
      await run('apt-get', [...apt, 'source', '--download-only', name], { cwd: download })
      const upstream = readdirSync(download).find((entry) => upstreamFile.test(entry))
      if (upstream === undefined) throw new Error(`the source package ${name} has no upstream tarball`)
      copyFileSync(join(download, upstream), join(directory, file))
    }
    rmSync(work, { recursive: true })
  })
}

/** Options that give apt lists of its own, made of the host's package sources turned into source-package sources. */
function privateApt(work: string): string[] {
  for (const path of ['sources', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, path), { recursive: true })
  }
  for (const path of hostSources()) {
    const text = readFileSync(path, 'utf8')
    const asSources = path.endsWith('.sources')
      ? text.replace(/^Types:.*$/gm, 'Types: deb-src')
      : text.replace(/^deb(-src)?(\s)/gm, 'deb-src$2')
    writeFileSync(join(work, 'sources', path.split('/').at(-1) ?? ''), asSources)
  }
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(work, 'sources'),
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
  }
  return ['--quiet', ...Object.entries(settings).flatMap(([name, value]) => ['--option', `${name}=${value}`])]
}

function hostSources(): string[] {
  const parts = '/etc/apt/sources.list.d'
  return [
    '/etc/apt/sources.list',
    ...readdirSync(parts)
      .filter((name) => /\.(list|sources)$/.test(name))
      .map((name) => join(parts, name)),
  ].filter((path) => readIfThere(path) !== undefined)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
