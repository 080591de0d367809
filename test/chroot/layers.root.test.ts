import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from '../../src/chroot/requests.js'
import { needsRoot } from '../lab/needs-root.js'
import { codeOf, type Lab, makeContext, makeLab, shell } from './lab.js'

describe('chroot: layers', () => {
  let lab: Lab
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    await lab.service.create({ name: 'a', from: { directory: lab.source } }, makeContext())
  })
  after(() => lab.remove())

  const use = <T>(action: (session: Session) => Promise<T>) => lab.service.session('a', makeContext(), action)
  const layers = async () => (await lab.service.list())[0]!.layers
  const onDisk = () => readdirSync(join(lab.chroots, 'a/layers')).map(Number)
  async function committed(script: string): Promise<void> {
    await use(async (session) => {
      const { code, lines } = await shell(session, script)
      expect(code, lines.join('\n')).to.equal(0)
      await session.commit()
    })
  }
  const output = (script: string) => use(async (session) => (await shell(session, script)).lines)

  it('undoes everything that was not committed', async () => {
    const before = execFileSync('find', [join(lab.chroots, 'a'), '-printf', '%p %m %U %s %l\n'], { encoding: 'utf8' })
    await use((session) => shell(session, 'rm -r /etc/portage; mv /usr/bin/id /usr/bin/other; echo x > /file'))
    const failed = use(async (session) => {
      await shell(session, 'echo x > /file')
      throw new TypeError('as a failing build')
    })
    expect(await failed.catch((error: unknown) => error)).to.be.instanceOf(TypeError)
    expect(await output('ls /file /usr/bin/other 2>/dev/null; ls /etc')).to.deep.equal(['group', 'passwd', 'portage'])
    const after = execFileSync('find', [join(lab.chroots, 'a'), '-printf', '%p %m %U %s %l\n'], { encoding: 'utf8' })
    const whole = (text: string) => text.replace(/^\S+\/(run|groups\.json) .*\n/gm, '')
    expect(
      whole(after)
        .split('\n')
        .filter((line) => !line.includes('/a 700')),
    ).to.deep.equal(
      whole(before)
        .split('\n')
        .filter((line) => !line.includes('/a 700')),
    )
  })

  it('shows a later run in one session what an earlier one did, and keeps what was committed in between', async () => {
    await use(async (session) => {
      await shell(session, 'echo 1 > /one')
      expect((await shell(session, 'cat /one')).lines).to.deep.equal(['1'])
      await session.commit()
      await shell(session, 'echo 2 > /two')
    })
    expect(await output('ls /one /two')).to.deep.equal(["ls: cannot access '/two': No such file or directory", '/one'])
    expect(await layers()).to.deep.equal([1, 2])
  })

  it('renames directories of lower layers, without copying them', async () => {
    await committed('mkdir -p /srv/deep/er; echo x > /srv/deep/er/file')
    const before = await output('stat -c %i /srv/deep/er/file')
    await committed('mv /srv/deep /srv/moved')
    expect(await output('cat /srv/moved/er/file; ls /srv')).to.deep.equal(['x', 'moved'])
    expect(await output('stat -c %i /srv/moved/er/file')).to.deep.equal(before)
  })

  it('is whole after 100 commits, with at most 8 layers', async function () {
    this.timeout(120_000)
    await committed(
      'mkdir -p /old/kept /opaque; touch /old/gone /opaque/gone; ln /usr/bin/cat-capable /usr/bin/cat-again; mkdir /count',
    )
    await committed('rm /old/gone; rm -r /opaque; mkdir /opaque; touch /opaque/new; chown 1000:1000 /opaque/new')
    const until = Array.from({ length: 98 }, (_, index) => index)
    await use(async (session) => {
      for (const number of until) {
        const remove = number % 2 === 1 ? `; rm /count/${number - 1}` : ''
        const { code } = await shell(session, `echo ${number} > /count/${number}; echo ${number} > /latest${remove}`)
        expect(code).to.equal(0)
        await session.commit()
        expect((await layers()).length).to.be.at.most(8)
        expect(onDisk()).to.have.members(await layers())
      }
    })
    const { uidBase } = (await lab.service.list())[0]!
    const names = (await output('ls /count')).map(Number).sort((a, b) => a - b)
    expect(names).to.deep.equal(until.filter((number) => number % 2 === 1))
    expect(await output('cat /latest; ls /old; ls /opaque; cat /srv/moved/er/file')).to.deep.equal([
      '97',
      'kept',
      'new',
      'x',
    ])
    const asUser = 'setpriv --reuid 1000 --regid 1000 --clear-groups'
    const facts = await output(`
      stat -c %h%i /usr/bin/cat; stat -c %h%i /usr/bin/cat-linked; stat -c %u:%g /opaque/new
      ${asUser} cat-capable /proc/self/status; ${asUser} id-setuid -u`)
    expect(facts[0]).to.match(/^2/).and.to.equal(facts[1])
    expect(facts[2]).to.equal('1000:1000')
    expect(facts.find((line) => line.startsWith('CapEff'))).to.match(/0000002000$/)
    expect(facts.at(-1)).to.equal('0')
    const oldest = (await layers())[0]!
    expect(oldest).to.be.greaterThan(1)
    expect(lstatSync(join(lab.chroots, 'a/layers', String(oldest), 'usr/bin/sh')).uid).to.equal(uidBase)
  })

  it('drops what a session or a squash that was killed left, without following its links', async () => {
    const known = await layers()
    const precious = join(lab.top, 'precious')
    mkdirSync(precious)
    writeFileSync(join(precious, 'file'), 'precious')
    for (const place of [`layers/${Math.max(...known) + 1}`, 'run/upper', 'run/work']) {
      mkdirSync(join(lab.chroots, 'a', place, 'etc'), { recursive: true })
      execFileSync('ln', ['-s', precious, join(lab.chroots, 'a', place, 'link')])
    }
    writeFileSync(join(lab.chroots, 'a/run/upper/etc/passwd'), 'dead')
    // deeper than any path can name
    const dig = 'chdir $ARGV[0]; for (1..40) { mkdir "d" x 200; chdir "d" x 200 or die $! }'
    execFileSync('perl', ['-e', dig, join(lab.chroots, 'a/run/upper')])
    expect(await output('cat /etc/passwd')).to.have.length(2)
    expect(onDisk()).to.have.members(known)
    expect(readdirSync(join(lab.chroots, 'a/run'))).to.deep.equal([])
    expect(existsSync(join(precious, 'file'))).to.be.true
  })

  it('gives one root to one session at a time, others meanwhile', async () => {
    await lab.service.create({ name: 'b', from: { directory: lab.source } }, makeContext())
    await use(async (session) => {
      expect(await codeOf(use(() => Promise.resolve()))).to.equal('CHROOT_BUSY')
      expect(await codeOf(lab.service.remove('a', makeContext()))).to.equal('CHROOT_BUSY')
      expect((await shell(session, 'cat /latest')).code).to.equal(0)
      await lab.service.session('b', makeContext(), (other) => shell(other, 'true'))
    })
    expect(await codeOf(lab.service.session('c', makeContext(), () => Promise.resolve()))).to.equal('CHROOT_MISSING')
    expect(existsSync(join(lab.chroots, '.locks/c'))).to.be.false
  })

  it('says that it needs root, before it touches anything', async () => {
    process.seteuid!(65_534)
    try {
      expect(await codeOf(use(() => Promise.resolve()))).to.equal('ROOT_NEEDED')
      const from = { directory: lab.source }
      expect(await codeOf(lab.service.create({ name: 'x', from }, makeContext()))).to.equal('ROOT_NEEDED')
    } finally {
      process.seteuid!(0)
    }
  })
})
