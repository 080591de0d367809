import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { packDirectory } from '../../src/artifact/pack.js'
import type { PackBase, PackRequest } from '../../src/artifact/pack.js'
import { readManifest } from '../../src/artifact/manifest-file.js'
import { unpackPack } from '../../src/artifact/unpack.js'
import type { Pack } from '../../src/model/build.js'
import type { FileEntry, Manifest } from '../../src/model/manifest.js'
import { readStream } from '../../src/system/files.js'
import { differences, digestOf } from '../lab/digest.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { failure } from './collect.js'

const temporary = temporaryDirectory()

describe('packing a directory', () => {
  it('and unpacking it gives the same files, links and executable bits', async () => {
    const directory = checkout('checkout')
    const { pack } = await packed({ directory })
    const unpacked = join(temporary(), 'unpacked')
    const manifest = await readManifest(join(temporary(), 'out', pack.manifest.file), pack)
    await unpackPack(pack, manifest, open(pack), unpacked, silent)
    expect(differences(digestOf(directory, ['.git', '.gitignore', 'app/.gitattributes']), digestOf(unpacked))).to.be
      .empty
    expect(statSync(join(unpacked, 'bin/tool')).mode & 0o7777).to.equal(0o755)
    expect(statSync(join(unpacked, 'app/a.ebuild')).mode & 0o7777).to.equal(0o644)
    expect(readdirSync(join(unpacked, 'empty'))).to.be.empty
  })

  it('gives the same bytes for another checkout of the same content', async () => {
    const first = await packed({ directory: checkout('one') })
    const second = await packed(
      { directory: checkout('two', { reverse: true, umask: 0o077, mtime: 1_700_000_000.5 }) },
      'out2',
    )
    expect(second.pack).to.deep.equal(first.pack)
    expect(
      readFileSync(join(temporary(), 'out', first.pack.file)).equals(
        readFileSync(join(temporary(), 'out2', first.pack.file)),
      ),
    ).to.equal(true)
  })

  it('whatever the locale and tar options of the caller are', async () => {
    const directory = checkout('one')
    const before = { ...process.env }
    const first = await packed({ directory })
    try {
      Object.assign(process.env, { LC_ALL: 'de_DE.UTF-8', TAR_OPTIONS: '--sort=inode --mtime=@5', ZSTD_CLEVEL: '9' })
      const second = await packed({ directory }, 'out2')
      expect(second.pack.sha256).to.equal(first.pack.sha256)
    } finally {
      process.env = before
    }
  })

  it('gives other bytes when one byte of one file changes', async () => {
    const directory = checkout('one')
    const first = await packed({ directory })
    writeFileSync(join(directory, 'app/a.ebuild'), 'EAPI=7\n')
    const second = await packed({ directory }, 'out2')
    expect(second.pack.sha256).not.to.equal(first.pack.sha256)
    expect(second.pack.manifest.sha256).not.to.equal(first.pack.manifest.sha256)
  })

  it('leaves out what version control keeps, in ebuild repos only', async () => {
    const directory = checkout('one')
    const repo = await packed({ directory })
    expect(paths(repo.manifest)).not.to.include.members(['.git', '.gitignore', 'app/.gitattributes'])
    const profile = await packed({ directory, name: 'etc-portage', role: 'etc-portage' })
    expect(paths(profile.manifest)).to.include.members(['.git/HEAD', '.gitignore', 'app/.gitattributes'])
  })

  it('turns off setuid and setgid, and stores hard links as files', async () => {
    const directory = checkout('one')
    chmodSync(join(directory, 'bin/tool'), 0o6755)
    chmodSync(join(directory, 'app'), 0o2775)
    linkSync(join(directory, 'bin/tool'), join(directory, 'bin/same'))
    const { manifest } = await packed({ directory })
    const [same, tool] = ['bin/same', 'bin/tool'].map((path) => fileAt(manifest, path))
    expect(same).to.deep.equal({ ...tool, path: 'bin/same' })
  })

  it('takes names that options, locales and shells stumble over', async () => {
    const names = [
      '-rf',
      '--checkpoint=1',
      'a b',
      '*',
      'a\\n',
      'dev-\\x2d.mount',
      'grüße',
      '日本',
      '"',
      "'",
      '@list',
      '$HOME',
      'n'.repeat(250),
    ]
    const directory = join(temporary(), 'odd')
    mkdirSync(directory)
    for (const name of names) writeFileSync(join(directory, name), name)
    const { manifest } = await packed({ directory })
    expect(paths(manifest)).to.have.members(names)
  })

  it('makes an empty pack of an empty directory', async () => {
    const directory = join(temporary(), 'nothing')
    mkdirSync(directory)
    const { pack, manifest } = await packed({ directory })
    expect(manifest.entries).to.be.empty
    await unpackPack(pack, manifest, open(pack), join(temporary(), 'unpacked'), silent)
    expect(readdirSync(join(temporary(), 'unpacked'))).to.be.empty
  })

  it('keeps the relative make.profile link of a stage3 profile, and no other link that leaves it', async () => {
    const directory = join(temporary(), 'profile')
    writeFiles(directory, { 'make.conf': '', 'shared/use': '' })
    symlinkSync('../../var/db/repos/gentoo/profiles/default/linux', join(directory, 'make.profile'))
    symlinkSync('shared', join(directory, 'package.use'))
    const { manifest } = await packed({ directory, name: 'etc-portage', role: 'etc-portage' })
    expect(manifest.entries).to.deep.include({
      type: 'symlink',
      path: 'make.profile',
      target: '../../var/db/repos/gentoo/profiles/default/linux',
    })
    symlinkSync('/etc/passwd', join(directory, 'users'))
    const error = await failure(() => packed({ directory, name: 'etc-portage', role: 'etc-portage' }, 'out2'))
    expect(error.code).to.equal('ARCHIVE_REFUSED')
    expect(error.message).to.include('users').and.include('/etc/passwd')
    expect(readdirSync(join(temporary(), 'out2'))).to.be.empty
  })

  it('leaves out links by which an ebuild repo leads out, says so, and packs the rest', async () => {
    const directory = checkout('one')
    symlinkSync('/usr/portage/eclass', join(directory, 'eclass'))
    symlinkSync('../../gentoo/profiles', join(directory, 'app/profiles'))
    symlinkSync('b.ebuild', join(directory, 'app/c.ebuild'))
    symlinkSync('../nothing', join(directory, 'app/dangling'))
    const warnings: string[] = []
    const report = { ...silent.report, warn: (text: string) => warnings.push(text) }
    const { manifest } = await packed({ directory }, 'out', { ...silent, report })
    expect(paths(manifest)).not.to.include.oneOf(['eclass', 'app/profiles'])
    expect(paths(manifest)).to.include.members(['app/c.ebuild', 'app/dangling', 'bin/link'])
    expect(warnings).to.have.length(2)
    expect(warnings.join()).to.include('/usr/portage/eclass').and.include('app/profiles')
  })

  it('refuses what is no file, directory or link, and names that cannot be served', async () => {
    const directory = checkout('one')
    execFileSync('mkfifo', [join(directory, 'app/pipe')])
    const pipe = await failure(() => packed({ directory }))
    expect(pipe.code).to.equal('PACK_INPUT')
    expect(pipe.message).to.include('app/pipe')
    const broken = checkout('two')
    writeFileSync(join(broken, 'a\nb'), '')
    expect((await failure(() => packed({ directory: broken }, 'out2'))).message).to.include('a\\nb')
    expect((await failure(() => packed({ directory: join(temporary(), 'none') }, 'out3'))).code).to.equal('PACK_INPUT')
  })

  it('leaves nothing behind when it is aborted', async () => {
    const directory = checkout('one')
    for (let index = 0; index < 3; index++)
      writeFileSync(join(directory, `large-${index}`), Buffer.alloc(8 * 2 ** 20, index))
    const abort = new AbortController()
    const report = { ...silent.report, progress: (done: number) => done > 0 && abort.abort() }
    const request: PackRequest = { name: 'gentoo', role: 'ebuild-repo', directory, output: outputDirectory('out') }
    const error = await failure(() => packDirectory(request, { report, signal: abort.signal }))
    expect(error.code).to.equal('ABORTED')
    expect(readdirSync(join(temporary(), 'out'))).to.be.empty
  })
})

describe('packing binary packages on a base build', () => {
  const content = {
    'app/one-1.gpkg.tar': '1'.repeat(50_000),
    'app/two-1.gpkg.tar': '2'.repeat(70_000),
    Packages: 'old',
  }

  it('carries what changed only, and lists everything', async () => {
    const { first, base } = await baseBuild()
    writeFiles(join(temporary(), 'pkgs'), { 'app/two-1.gpkg.tar': '3'.repeat(70_000), Packages: 'new' })
    const { pack, manifest } = await packages({ base })
    expect(first.pack.size).to.be.greaterThan(120_000)
    expect(pack.size).to.be.within(70_000, 85_000)
    expect(fileAt(manifest, 'app/one-1.gpkg.tar').origin).to.equal(7)
    expect(fileAt(manifest, 'app/two-1.gpkg.tar').origin).to.equal(undefined)
    expect(paths(manifest)).to.deep.equal(paths(first.manifest))
  })

  it('names the build that carries the bytes, not the base that named it too', async () => {
    const { base } = await baseBuild()
    const second = await packages({ base }, 'out2')
    const third = await packages({ base: { number: 8, manifest: second.manifest } }, 'out3')
    const files = third.manifest.entries.filter((entry) => entry.type === 'file')
    expect(files.map(({ origin }) => origin)).to.deep.equal([7, 7, 7])
    expect(third.manifest).to.deep.equal(second.manifest)
  })

  it('packs a file again whose content or mode differs though size and time are the same', async () => {
    const { base } = await baseBuild()
    const [one, two] = ['app/one-1.gpkg.tar', 'app/two-1.gpkg.tar'].map((path) => join(temporary(), 'pkgs', path)) as [
      string,
      string,
    ]
    const { atime, mtime } = statSync(one)
    writeFileSync(one, '9'.repeat(50_000))
    utimesSync(one, atime, mtime)
    chmodSync(two, 0o755)
    const { manifest } = await packages({ base })
    expect(fileAt(manifest, 'app/one-1.gpkg.tar').origin).to.equal(undefined)
    expect(fileAt(manifest, 'app/two-1.gpkg.tar').origin).to.equal(undefined)
  })

  it('packs everything when a build that it would name is gone, and says so', async () => {
    const { first, base } = await baseBuild()
    const warnings: string[] = []
    const report = { ...silent.report, warn: (text: string) => warnings.push(text) }
    const gone = { ...base, originExists: (number: number) => Promise.resolve(number !== 7) }
    const { pack, manifest } = await packages({ base: gone }, 'out2', { ...silent, report })
    expect(pack).to.deep.equal(first.pack)
    expect(manifest).to.deep.equal(first.manifest)
    expect(warnings.join()).to.include('build 7')
  })

  it('refuses links among them, which a publish would not write anew', async () => {
    const { base } = await baseBuild()
    symlinkSync('app/one-1.gpkg.tar', join(temporary(), 'pkgs/link'))
    const error = await failure(() => packages({ base }))
    expect(error.code).to.equal('ARCHIVE_REFUSED')
    expect(error.message).to.include('"link"').and.include('files only')
  })

  it('keeps file capabilities and hard links inside packages: their bytes are not touched', async () => {
    const { first, base } = await baseBuild()
    const inner = join(temporary(), 'inner')
    writeFiles(inner, { a: 'a' })
    linkSync(join(inner, 'a'), join(inner, 'b'))
    const gpkg = join(temporary(), 'pkgs/app/three-1.gpkg.tar')
    execFileSync('tar', [
      '--format=posix',
      '--pax-option=SCHILY.xattr.security.capability:=x',
      '-C',
      inner,
      '-cf',
      gpkg,
      '.',
    ])
    const { manifest } = await packages({ base })
    expect(paths(manifest)).to.have.length(paths(first.manifest).length + 1)
    expect(fileAt(manifest, 'app/three-1.gpkg.tar').size).to.equal(statSync(gpkg).size)
  })

  async function baseBuild(): Promise<{ first: Packed; base: PackBase }> {
    writeFiles(join(temporary(), 'pkgs'), content)
    const first = await packages({}, 'base')
    return { first, base: { number: 7, manifest: first.manifest } }
  }

  function packages(extra: Partial<PackRequest>, output = 'out', context = silent): Promise<Packed> {
    const directory = join(temporary(), 'pkgs')
    return packed({ name: 'packages', role: 'packages', directory, ...extra }, output, context)
  }
})

type Packed = Awaited<ReturnType<typeof packDirectory>>

function packed(
  request: Partial<PackRequest> & { directory: string },
  output = 'out',
  context = silent,
): Promise<Packed> {
  return packDirectory({ name: 'gentoo', role: 'ebuild-repo', output: outputDirectory(output), ...request }, context)
}

function outputDirectory(name: string): string {
  mkdirSync(join(temporary(), name), { recursive: true })
  return join(temporary(), name)
}

function open(pack: Pack) {
  return readStream(join(temporary(), 'out', pack.file))
}

function paths(manifest: Manifest): string[] {
  return manifest.entries.map(({ path }) => path)
}

function fileAt(manifest: Manifest, path: string): FileEntry {
  const entry = manifest.entries.find((candidate) => candidate.path === path)
  if (entry?.type !== 'file') throw new Error(`${path} is not packed`)
  return entry
}

/** A checkout of always the same content, made in one order or another. */
function checkout(name: string, { reverse = false, umask = 0o022, mtime = 1_000_000_000 } = {}): string {
  const top = join(temporary(), name)
  const files: [string, string][] = [
    ['app/a.ebuild', 'EAPI=8\n'],
    ['app/b.ebuild', 'x'.repeat(5000)],
    ['app/.gitattributes', ''],
    ['bin/tool', '#!/bin/sh\n'],
    ['big', 'y'.repeat(2 ** 21 + 5)],
    ['.git/HEAD', `${name}\n`],
    ['.gitignore', `${name}\n`],
    [`long/${'l'.repeat(120)}`, 'long'],
    ['grüße', 'hallo'],
  ]
  const before = process.umask(umask)
  try {
    for (const [path, content] of reverse ? files.toReversed() : files) writeFiles(top, { [path]: content })
    mkdirSync(join(top, 'empty'))
    symlinkSync('../app/a.ebuild', join(top, 'bin/link'))
    chmodSync(join(top, 'bin/tool'), 0o777 & ~umask)
    for (const [path] of files) utimesSync(join(top, path), mtime, mtime)
  } finally {
    process.umask(before)
  }
  return top
}
