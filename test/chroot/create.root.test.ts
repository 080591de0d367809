import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  readFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { needsRoot } from '../lab/needs-root.js'
import { codeOf, type Lab, makeContext, makeLab, shell } from './lab.js'

describe('chroot: create', () => {
  let lab: Lab
  before(needsRoot)
  before(() => {
    lab = makeLab()
  })
  after(() => lab.remove())

  function pack(name: string, ...compression: string[]): string {
    const tarball = join(lab.top, name)
    const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner', ...compression]
    execFileSync('tar', ['-c', ...options, '-f', tarball, '-C', lab.source, '.'])
    return tarball
  }

  async function expectWhole(name: string): Promise<void> {
    const { uidBase } = (await lab.service.list()).find((root) => root.name === name)!
    const layer = join(lab.chroots, name, 'layers/1')
    const at = (path: string) => lstatSync(join(layer, path))
    expect(at('usr/bin/sh')).to.include({ uid: uidBase, gid: uidBase })
    expect(readlinkSync(join(layer, 'etc/portage/make.profile'))).to.equal('../../var/db/repos/gentoo/profiles/default')
    expect(at('etc/portage/make.profile').uid).to.equal(uidBase)
    expect(at('usr/bin/cat').ino).to.equal(at('usr/bin/cat-linked').ino)
    expect(at('usr/bin/id-setuid').mode & 0o7777).to.equal(0o4755)
    expect(at('tmp').mode & 0o7777).to.equal(0o1777)
    expect(readdirSync(join(layer, 'dev'))).to.deep.equal([])
    await lab.service.session(name, makeContext(), async (session) => {
      const asUser = 'setpriv --reuid 1000 --regid 1000 --clear-groups'
      const { lines } = await shell(session, `${asUser} cat-capable /proc/self/status; ${asUser} id-setuid -u`)
      expect(lines.find((line) => line.startsWith('CapEff'))).to.match(/0000002000$/)
      expect(lines.at(-1)).to.equal('0')
    })
  }

  it('takes a directory with owners shifted, capabilities, hard links, setuid bits and relative links whole', async () => {
    const info = await lab.service.create({ name: 'from-directory', from: { directory: lab.source } }, makeContext())
    expect(info).to.include({ name: 'from-directory', from: lab.source })
    await expectWhole('from-directory')
  })

  for (const [ending, option] of Object.entries({
    '': [],
    '.xz': ['--use-compress-program=xz -0'],
    '.zst': ['--zstd'],
    '.bz2': ['--bzip2'],
    '.gz': ['--gzip'],
  })) {
    it(`takes a .tar${ending}, told by content and not by name`, async () => {
      const tarball = pack(`stage3${ending.length}.tarball`, ...option)
      const name = `from-tar${ending}`
      await lab.service.create({ name, from: { tarball } }, makeContext())
      await expectWhole(name)
    })
  }

  it('gives each root uids of its own, and never those of a removed one', async () => {
    const bases = (await lab.service.list()).map((root) => root.uidBase)
    expect(new Set(bases).size).to.equal(bases.length)
    expect(bases.every((base) => base >= 524_288 && base % 65_536 === 0)).to.be.true
    await lab.service.create({ name: 'short-lived', from: { directory: lab.source } }, makeContext())
    const used = (await lab.service.list()).find((root) => root.name === 'short-lived')!.uidBase
    await lab.service.remove('short-lived', makeContext())
    expect(existsSync(join(lab.chroots, 'short-lived'))).to.be.false
    const next = await lab.service.create({ name: 'short-lived', from: { directory: lab.source } }, makeContext())
    expect(next.uidBase).to.be.greaterThan(used)
  })

  it('uses up no uids by attempts that fail', async () => {
    const nextUid = () =>
      (JSON.parse(readFileSync(join(lab.chroots, '.uid-ranges.json'), 'utf8')) as { next: number }).next
    const before = nextUid()
    const bad = { name: 'attempted', from: { directory: join(lab.top, 'nowhere') } }
    for (let count = 0; count < 3; count++) {
      expect(await codeOf(lab.service.create(bad, makeContext()))).to.equal('CHROOT_SOURCE_INVALID')
    }
    const made = await lab.service.create({ ...bad, from: { directory: lab.source } }, makeContext())
    expect(made.uidBase).to.equal(before)
    await lab.service.remove('attempted', makeContext())
    const again = await lab.service.create({ ...bad, from: { directory: lab.source } }, makeContext())
    expect(again.uidBase).to.equal(before + 65_536)
    await lab.service.remove('attempted', makeContext())
  })

  it('keeps other users of the host out', () => {
    expect(statSync(join(lab.chroots, 'from-directory')).mode & 0o077).to.equal(0)
  })

  it('refuses names, a second root of one name, and what is no root, and leaves nothing of it', async () => {
    const create = (name: string, from: { tarball: string } | { directory: string }) =>
      codeOf(lab.service.create({ name, from }, makeContext()))
    expect(await create('../evil', { directory: lab.source })).to.equal('NAME_INVALID')
    expect(await create('from-directory', { directory: lab.source })).to.equal('CHROOT_EXISTS')
    const empty = join(lab.top, 'empty')
    mkdirSync(empty)
    expect(await create('bad', { directory: empty })).to.equal('CHROOT_SOURCE_INVALID')
    expect(await create('bad', { directory: join(lab.top, 'nowhere') })).to.equal('CHROOT_SOURCE_INVALID')
    expect(await create('bad', { tarball: join(lab.top, 'nowhere') })).to.equal('CHROOT_SOURCE_INVALID')
    expect(await create('bad', { tarball: 'relative' })).to.equal('REQUEST_INVALID')
    writeFileSync(join(lab.top, 'noise'), 'this is no archive')
    expect(await create('bad', { tarball: join(lab.top, 'noise') })).to.equal('CHROOT_SOURCE_INVALID')
    const cut = pack('cut.tar.zst', '--zstd')
    execFileSync('truncate', ['-s', '-1000', cut])
    expect(await create('bad', { tarball: cut })).to.equal('CHROOT_SOURCE_INVALID')
    expect(existsSync(join(lab.chroots, 'bad'))).to.be.false
    expect((await lab.service.list()).map((root) => root.name)).not.to.include('bad')
  })

  it('is not led out of the root by links in a hostile archive', async () => {
    const victim = join(lab.top, 'victim')
    mkdirSync(victim, { mode: 0o777 })
    const hostile = join(lab.top, 'hostile')
    mkdirSync(join(hostile, 'usr'), { recursive: true })
    symlinkSync(victim, join(hostile, 'way-out'))
    const tarball = join(lab.top, 'hostile.tar')
    execFileSync('tar', ['-cf', tarball, '-C', hostile, './usr', './way-out'])
    mkdirSync(join(lab.top, 'second/way-out'), { recursive: true })
    writeFileSync(join(lab.top, 'second/way-out/file'), 'hostile')
    execFileSync('tar', ['-rf', tarball, '-C', join(lab.top, 'second'), './way-out/file'])
    await codeOf(lab.service.create({ name: 'hostile', from: { tarball } }, makeContext()))
    expect(readdirSync(victim)).to.deep.equal([])
  })

  it('stops when asked to, leaving nothing', async () => {
    const context = makeContext()
    const creation = codeOf(
      lab.service.create(
        { name: 'stopped', from: { directory: lab.source } },
        { ...context, report: { ...context.report, step: () => setImmediate(context.abort) } },
      ),
    )
    expect(await creation).to.equal('ABORTED')
    expect(existsSync(join(lab.chroots, 'stopped'))).to.be.false
  })
})
