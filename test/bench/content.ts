import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { breathe } from '../../src/system/clock.js'

/** How much there is of what. */
export interface Size {
  /** directories of the ebuild repo; about 4.4 files each */
  directories: number
  packages: number
  /** bytes */
  packageSize: number
}

export const fullSize: Size = { directories: 30_000, packages: 1_500, packageSize: 720_000 }
export const quickSize: Size = { directories: 3_000, packages: 150, packageSize: 720_000 }

/** One of a hundred things changes from a build to the next. */
const CHANGED = 100

/**
 * Writes a machine's parts as `packTree` takes them: shaped like the Gentoo repository, and binary packages that
 * cannot be compressed. For a build after the first it writes only what changed.
 * @returns number of files written
 */
export async function writeParts(directory: string, size: Size, build: number, signal: AbortSignal): Promise<number> {
  let files = 0
  const write = (path: string, content: string | Buffer): void => {
    const target = join(directory, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, content)
    files++
  }
  const due = (index: number): boolean => build === 1 || index % CHANGED === build
  const pause = async (index: number): Promise<void> => {
    if (index % 100 === 0) await breathe()
    signal.throwIfAborted()
  }
  for (let index = 0, file = 0; index < size.directories; index++) {
    await pause(index)
    const own = index % 3 === 2 ? 4 : index % 3 === 1 ? 4 : 6
    for (let n = 0; n < own; n++, file++) {
      if (due(file)) write(`repos/gentoo/${directoryOf(index)}/${n}-${index}.ebuild`, text(file, build))
    }
  }
  for (let index = 0; index < size.packages; index++) {
    await pause(index)
    if (due(index)) write(`binpkgs/${packagePath(index)}`, noise(index, build, size.packageSize))
  }
  if (build === 1) {
    write('repos/gentoo/profiles/repo_name', 'gentoo\n')
    write('repos/gentoo/metadata/layout.conf', 'masters =\n')
    write('etc-portage/make.conf', 'USE=""\n')
    write('var-lib-portage/world', '@everything\n')
  }
  const stanzas = Array.from(
    { length: size.packages },
    (_, index) => `CPV: app-${index % 50}/p${index}-1\nPATH: ${packagePath(index)}\nSIZE: ${size.packageSize}\n\n`,
  )
  write('binpkgs/Packages', `PACKAGES: ${size.packages}\nTIMESTAMP: ${build}\n\n${stanzas.join('')}`)
  return files
}

/** Categories with packages in them; every third directory is a package's `files`. */
function directoryOf(index: number): string {
  const owner = index % 3 === 2 ? index - 2 : index
  const path = `category-${owner % 170}/package-${owner}`
  return owner === index ? path : `${path}/files`
}

function packagePath(index: number): string {
  return `app-${index % 50}/p${index}/p${index}-1-1.gpkg.tar`
}

/** 200 to 4,000 bytes that occur once. */
function text(file: number, build: number): string {
  const line = `# file ${file} of build ${build}: DEPEND="dev-libs/lib-${file % 977}" SRC_URI="mirror://x/${file * 31}"\n`
  return line.repeat(1 + (file % 40)).slice(0, 4000)
}

/** xorshift32: fast, and nothing that zstd finds anything in. */
function noise(index: number, build: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (index + 1) * 2_654_435_761 + build
  for (let n = 0; n < words.length; n++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[n] = state
  }
  return Buffer.from(words.buffer, 0, length)
}
