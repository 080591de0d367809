/** Minimal Debian systems, made once by debootstrap and kept in the cache: to be copied, never written to. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/system/process.js'
import { cachedDirectory, recipeKey } from './cache.js'

export type Told = (what: string) => void

const SUITE = 'bookworm'

/** Nothing of these is read by a build: the root is copied often. */
const superfluous = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
  'var/cache/apt',
  'var/lib/apt/lists',
]

interface DebianRoot {
  /** begins its name in the cache */
  name: string
  packages: string[]
  /** what else the finished root depends on */
  recipe: object
  /** makes of it what it is for */
  finish: (directory: string) => Promise<void>
}

/** Path of the root. */
export async function debianRoot({ name, packages, recipe, finish }: DebianRoot, tell: Told): Promise<string> {
  const key = recipeKey({ ...recipe, suite: SUITE, packages, superfluous })
  return await cachedDirectory(`${name}-${key}`, async (directory) => {
    tell(`making the root ${name} with debootstrap (once; a minute or two)`)
    await run('debootstrap', ['--variant=minbase', `--include=${packages.join(',')}`, SUITE, directory])
    await finish(directory)
    for (const path of superfluous) rmSync(join(directory, path), { recursive: true, force: true })
    for (const path of ['var/cache/apt/archives/partial', 'var/lib/apt/lists/partial']) {
      mkdirSync(join(directory, path), { recursive: true })
    }
  })
}
