import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fetchManifest, openDirectorySource } from '../../src/artifact/source.js'
import type { Item } from '../../src/artifact/source.js'
import { packTree } from '../../src/artifact/pack-tree.js'
import type { Build } from '../../src/model/build.js'
import { silent } from '../lab/silent.js'
import { writeFiles } from '../lab/temporary.js'

/** What a build of the machine is made from. */
export interface Parts {
  /** `category/name` → content of its binary package */
  packages?: Record<string, string | Buffer>
  /** what the names of packages end with */
  suffix?: string
  /** files of the ebuild repo `gentoo` besides what makes it one */
  repo?: Record<string, string>
  world?: string
}

/** Archives a build of a machine in `artifacts/TREE/N`, its packages on top of those of `base`. */
export async function archive(
  artifacts: string,
  number: number,
  {
    packages = { 'app-misc/hello': 'hello 1' },
    suffix = '.gpkg.tar',
    repo = {},
    world = 'app-misc/hello\n',
  }: Parts = {},
  { base, tree = 'box' }: { base?: number; tree?: string } = {},
): Promise<Build> {
  const directory = join(artifacts, `parts-${tree}-${number}`)
  const files = Object.entries(packages).map(([name, content]): [string, string | Buffer] => [
    `binpkgs/${name}-1${suffix}`,
    content,
  ])
  writeFiles(directory, {
    ...Object.fromEntries(files),
    'binpkgs/Packages': packagesIndex(packages, suffix),
    'etc-portage/make.conf': 'USE=""\n',
    'var-lib-portage/world': world,
    'repos/gentoo/profiles/repo_name': 'gentoo\n',
    'repos/gentoo/metadata/layout.conf': 'masters =\n',
    ...Object.fromEntries(Object.entries(repo).map(([path, content]) => [`repos/gentoo/${path}`, content])),
  })
  const output = join(artifacts, tree, String(number))
  const on = base === undefined ? {} : { base: await packagesOf(artifacts, tree, base) }
  const build = await packTree({ directory, tree, number, output, ...on }, silent)
  rmSync(directory, { recursive: true })
  return build
}

function packagesIndex(packages: Record<string, string | Buffer>, suffix: string): string {
  const stanzas = Object.entries(packages).map(([name, content]) => {
    const [md5, sha1] = ['md5', 'sha1'].map((sum) => createHash(sum).update(content).digest('hex'))
    return [
      `CPV: ${name}-1\nBUILD_ID: 1\nMD5: ${md5}\nMTIME: 1\nPATH: ${name}-1${suffix}\n`,
      `SHA1: ${sha1}\nSIZE: ${Buffer.byteLength(content)}\n\n`,
    ].join('')
  })
  return `ARCH: amd64\nPACKAGES: ${stanzas.length}\nTIMESTAMP: 1\nVERSION: 0\n\n${stanzas.join('')}`
}

export async function packagesOf(artifacts: string, tree: string, number: number) {
  const source = openDirectorySource(`dir:${artifacts}`)
  const item: Item = { kind: 'tree', name: tree }
  const { build } = await source.readBuild(item, number)
  const pack = build.packs.find(({ role }) => role === 'packages')!
  return { number, manifest: await fetchManifest(source, item, number, pack) }
}

/** Path → sha256 or target, of everything below a directory; what publishes write anew each time is left out. */
export function contentOf(directory: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const status = lstatSync(join(directory, path))
    if (/(^|\/)(Packages|Packages\.gz|timestamp\.chk|\.treeswap\.json)$/.test(path)) continue
    if (status.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(directory, path))}`
    else if (status.isFile()) found[path] = sha256(readFileSync(join(directory, path)))
  }
  return found
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it should have failed')
}
