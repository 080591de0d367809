import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { packTree } from '../../src/artifact/pack-tree.js'
import type { TreeRequest } from '../../src/artifact/pack-tree.js'
import { fetchManifest, openDirectorySource } from '../../src/artifact/source.js'
import type { Build, Pack } from '../../src/model/build.js'
import { sha256 } from '../../src/system/hash.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { failure } from './collect.js'

const temporary = temporaryDirectory()
const one = '1'.repeat(40_000)
const two = '2'.repeat(60_000)

describe('packing a machine', () => {
  it('archives its four parts and the log, each under its role', async () => {
    prepare()
    writeFiles(temporary(), { 'build.log': 'compiled\n' })
    const build = await packed(1, { log: join(temporary(), 'build.log') })
    expect(build.packs.map(({ name, role }) => [name, role])).to.deep.equal([
      ['gentoo', 'ebuild-repo'],
      ['etc-portage', 'etc-portage'],
      ['var-lib-portage', 'var-lib-portage'],
      ['packages', 'packages'],
    ])
    const files = ['build.json', 'build.log.zst', ...build.packs.flatMap(({ file, manifest }) => [file, manifest.file])]
    expect(readdirSync(output(1)).sort()).to.deep.equal(files.sort())
    const log = readFileSync(join(output(1), 'build.log.zst'))
    expect(build.log).to.deep.equal({ file: 'build.log.zst', size: log.length, sha256: sha256(log) })
    expect(String(execFileSync('zstd', ['-dc'], { input: log }))).to.equal('compiled\n')
    const { build: read } = await openDirectorySource(`dir:${temporary()}/out`).readBuild(
      { kind: 'tree', name: 'box' },
      1,
    )
    expect(read).to.deep.equal(build)
  })

  it('carries one changed package only, when it is given a base', async () => {
    prepare()
    const first = await packed(1)
    writeFiles(temporary(), { 'parts/binpkgs/app/two-1.gpkg.tar': '3'.repeat(60_000) })
    const manifest = await fetchManifest(
      openDirectorySource(`dir:${temporary()}/out`),
      { kind: 'tree', name: 'box' },
      1,
      packages(first),
    )
    const second = await packed(2, { base: { number: 1, manifest } })
    expect(second.base).to.equal(1)
    expect(packages(first).size).to.be.greaterThan(100_000)
    expect(packages(second).size).to.be.within(60_000, 72_000)
    expect(second.packs.slice(0, 3)).to.deep.equal(first.packs.slice(0, 3))
  })

  it('takes over the very bytes of ebuild repos that have artifacts of their own', async () => {
    prepare()
    const first = await packed(1)
    rmSync(join(temporary(), 'parts/repos'), { recursive: true })
    const source = openDirectorySource(`dir:${temporary()}/out`)
    const place = { source, item: { kind: 'tree' as const, name: 'box' }, number: 1, pack: first.packs[0]! }
    const second = await packed(2, { repoPacks: [place] })
    expect(second.packs[0]).to.deep.equal(first.packs[0])
    expect(
      readFileSync(join(output(2), 'gentoo.tar.zst')).equals(readFileSync(join(output(1), 'gentoo.tar.zst'))),
    ).to.equal(true)
    prepare()
    expect((await failure(() => packed(3, { repoPacks: [place] }))).code).to.equal('REPO_TWICE')
  })

  it('leaves out the lock files and the compressed index of a PKGDIR', async () => {
    prepare({ 'binpkgs/Packages.gz': 'old', 'binpkgs/.Packages.portage_lockfile': '' })
    const build = await packed(1)
    const manifest = await fetchManifest(
      openDirectorySource(`dir:${temporary()}/out`),
      { kind: 'tree', name: 'box' },
      1,
      packages(build),
    )
    expect(manifest.entries.map(({ path }) => path)).to.deep.equal([
      'Packages',
      'app',
      'app/one-1.gpkg.tar',
      'app/two-1.gpkg.tar',
    ])
  })

  it('says what it does not know', async () => {
    prepare({ 'notes/todo': '' })
    const warnings: string[] = []
    const report = { ...silent.report, warn: (text: string) => warnings.push(text) }
    await packTree(request(1), { ...silent, report })
    expect(warnings.join()).to.include('notes')
  })

  const header = 'ARCH: amd64\nPACKAGES: 1\n\n'
  const wrong: [what: string, files: Record<string, string>, remove: string, code: string, says: string][] = [
    ['no profile', {}, 'etc-portage', 'PROFILE_MISSING', 'etc-portage'],
    ['no world file', {}, 'var-lib-portage/world', 'WORLD_MISSING', 'var-lib-portage/world'],
    ['nothing of /var/lib/portage', {}, 'var-lib-portage', 'WORLD_MISSING', 'var-lib-portage/world'],
    ['a file among the ebuild repos', { 'repos/README': 'x' }, '', 'REPO_NAME_MISSING', 'repos/README'],
    ['no ebuild repos', {}, 'repos', 'REPOS_MISSING', 'repos'],
    ['an ebuild repo without a name', {}, 'repos/gentoo/profiles/repo_name', 'REPO_NAME_MISSING', 'repos/gentoo'],
    [
      'an ebuild repo with an empty name',
      { 'repos/gentoo/profiles/repo_name': '\n' },
      '',
      'REPO_NAME_MISSING',
      'repos/gentoo',
    ],
    [
      'an ebuild repo with another name',
      { 'repos/gentoo/profiles/repo_name': 'guru\n' },
      '',
      'REPO_NAME_MISMATCH',
      'guru',
    ],
    [
      'an ebuild repo called like a part of a build',
      { 'repos/packages/profiles/repo_name': 'packages\n' },
      '',
      'REPO_TWICE',
      'packages',
    ],
    ['an ebuild repo whose name is no name', { 'repos/.git/profiles/repo_name': '.git\n' }, '', 'NAME_INVALID', '.git'],
    ['no binary packages', {}, 'binpkgs', 'PACKAGES_BROKEN', 'no index'],
    ['no index', {}, 'binpkgs/Packages', 'PACKAGES_BROKEN', 'no index'],
    ['an empty index', { 'binpkgs/Packages': '' }, '', 'PACKAGES_INVALID', 'empty'],
    ['an index without a header', { 'binpkgs/Packages': 'ARCH: amd64\n' }, '', 'PACKAGES_BROKEN', 'no header'],
    ['an index that is something else', { 'binpkgs/Packages': '<html>\n' }, '', 'PACKAGES_INVALID', 'line 1'],
    ['an index that is cut off', { 'binpkgs/Packages': header }, '', 'PACKAGES_BROKEN', 'cut off'],
    ['a package that is not there', {}, 'binpkgs/app/one-1.gpkg.tar', 'PACKAGES_BROKEN', 'app/one-1.gpkg.tar'],
    ['a package of another size', { 'binpkgs/app/one-1.gpkg.tar': 'x' }, '', 'PACKAGES_BROKEN', '40000'],
    [
      'a package outside',
      { 'binpkgs/Packages': `${header}CPV: a/b-1\nPATH: ../../etc/passwd\n\n` },
      '',
      'PACKAGES_BROKEN',
      '../../etc',
    ],
    ['a package without a name', { 'binpkgs/Packages': `${header}SIZE: 1\n\n` }, '', 'PACKAGES_INVALID', 'stanza 1'],
  ]
  for (const [what, files, remove, code, says] of wrong) {
    it(`refuses ${what}, and leaves nothing behind`, async () => {
      prepare(files)
      if (remove !== '') rmSync(join(temporary(), 'parts', remove), { recursive: true })
      const error = await failure(() => packed(1))
      expect(error.code).to.equal(code)
      expect(error.message).to.include(says)
      expect(error.category).to.equal('configuration')
      expect(existsSync(dirname(output(1))) ? readdirSync(dirname(output(1))) : []).to.be.empty
    })
  }

  it('refuses links in place of the files that are served anew or taken over', async () => {
    for (const [path, code] of [
      ['binpkgs/Packages', 'ARCHIVE_REFUSED'],
      ['var-lib-portage/world', 'WORLD_MISSING'],
    ] as const) {
      prepare()
      const file = join(temporary(), 'parts', path)
      renameSync(file, `${file}.1`)
      symlinkSync(`${basename(file)}.1`, file)
      expect((await failure(() => packed(1))).code).to.equal(code)
      rmSync(join(temporary(), 'parts'), { recursive: true })
    }
  })

  it('refuses a base that is not earlier', async () => {
    prepare()
    for (const number of [2, 3]) {
      const error = await failure(() => packed(2, { base: { number, manifest: { entries: [] } } }))
      expect(error.code).to.equal('BASE_NOT_EARLIER')
    }
  })

  it('reads the name of an ebuild repo as Portage does', async () => {
    prepare({ 'repos/gentoo/profiles/repo_name': 'gentoo\n# the main one\n' })
    expect((await packed(1)).packs[0]?.name).to.equal('gentoo')
  })

  it('refuses a tree whose name would leave its place', async () => {
    prepare()
    for (const tree of ['../box', 'repos', '']) {
      expect((await failure(() => packed(1, { tree }))).code).to.equal('NAME_INVALID')
    }
  })
})

function prepare(more: Record<string, string> = {}): void {
  writeFiles(join(temporary(), 'parts'), {
    'repos/gentoo/profiles/repo_name': 'gentoo\n',
    'repos/gentoo/app/one/one-1.ebuild': 'EAPI=8\n',
    'etc-portage/make.conf': 'USE="x"\n',
    'var-lib-portage/world': 'app/one\n',
    'binpkgs/app/one-1.gpkg.tar': one,
    'binpkgs/app/two-1.gpkg.tar': two,
    'binpkgs/Packages': [
      'ARCH: amd64\nPACKAGES: 2\nTIMESTAMP: 1\n',
      `CPV: app/one-1\nPATH: app/one-1.gpkg.tar\nSIZE: ${one.length}\nUSE:\n`,
      `CPV: app/two-1\nPATH: app/two-1.gpkg.tar\nSIZE: ${two.length}\n`,
      '',
    ].join('\n'),
    ...more,
  })
}

function output(number: number): string {
  return join(temporary(), 'out/box', String(number))
}

function request(number: number): TreeRequest {
  return { directory: join(temporary(), 'parts'), tree: 'box', number, output: output(number) }
}

function packed(number: number, more: Partial<TreeRequest> = {}): Promise<Build> {
  return packTree({ ...request(number), ...more }, silent)
}

function packages(build: Build): Pack {
  return build.packs.find(({ role }) => role === 'packages')!
}
