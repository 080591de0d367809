import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildError, TreeswapError } from '../../src/model/errors.js'
import { updateRoot } from '../../src/chroot/update-root.js'
import { needsRoot } from '../lab/needs-root.js'
import { compile, documentOf, treeswap } from '../cli/treeswap.js'
import { makeContext, makeLab, type Lab, shell } from './lab.js'
import { makeSmallRoot } from './small-root.js'

const configuration = `[options]
Architecture = any
SigLevel = Never
[tools]
Server = file:///srv/repo
`

/** A root with the real pacman, and in it a repo of its own. */
function makePacmanRoot(directory: string): void {
  makeSmallRoot(directory, ['pacman', 'pacman-conf'])
  for (const each of ['var/lib/pacman', 'var/cache/pacman/pkg', 'srv/repo']) {
    mkdirSync(join(directory, each), { recursive: true })
  }
  writeFileSync(join(directory, 'etc/pacman.conf'), configuration)
  addPackage(join(directory, 'srv/repo'), '1-1')
}

/** Puts a package with one file, which names the version, into the repo. */
function addPackage(repo: string, version: string): void {
  const content = join(repo, '../content')
  mkdirSync(join(content, 'usr/share/tool'), { recursive: true })
  writeFileSync(join(content, 'usr/share/tool/version'), `${version}\n`)
  const info = `pkgname = tool\npkgver = ${version}\npkgdesc = x\narch = any\nsize = 4\nbuilddate = 1\n`
  writeFileSync(join(content, '.PKGINFO'), info)
  const file = join(repo, `tool-${version}-any.pkg.tar.zst`)
  execFileSync('bsdtar', ['--zstd', '--uid=0', '--gid=0', '-cf', file, '-C', content, '.PKGINFO', 'usr'])
  execFileSync('repo-add', ['--quiet', join(repo, 'tools.db.tar.gz'), file], { stdio: 'ignore' })
}

describe('chroot: update of a root', function () {
  this.timeout(60_000)
  let lab: Lab
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    const source = join(lab.top, 'pacman')
    makePacmanRoot(source)
    await lab.service.create({ name: 'arch', from: { directory: source } }, makeContext())
    await lab.service.create({ name: 'plain', from: { directory: lab.source } }, makeContext())
  })
  after(() => lab.remove())

  const inRoot = (name: string, script: string) =>
    lab.service.scratch(name, makeContext(), async (session) => (await shell(session, script)).lines)
  const layers = async (name: string) => (await lab.service.list()).find((root) => root.name === name)!.layers
  const update = (name: string, command: string[] = [], context = makeContext()) =>
    updateRoot(lab.service, { name, command }, context)

  async function failure(action: Promise<unknown>): Promise<TreeswapError> {
    try {
      await action
    } catch (error) {
      if (error instanceof TreeswapError) return error
      throw error
    }
    throw buildError('NOTHING_FAILED', 'nothing failed', '')
  }

  it('keeps what a command did that ended with 0', async () => {
    const command = ['sh', '-c', 'echo new > /updated']
    expect(await update('plain', command)).to.deep.equal(command)
    expect(await inRoot('plain', 'cat /updated')).to.deep.equal(['new'])
  })

  it('leaves the root as it was when the command fails, and tells the end of its output', async () => {
    const before = await layers('plain')
    const script = 'rm /updated; i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo "line $i"; done; exit 7'
    const error = await failure(update('plain', ['sh', '-c', script]))
    expect(error).to.include({ code: 'CHROOT_UPDATE_FAILED', category: 'build' })
    expect(error.message)
      .to.include('ended with 7')
      .and.to.match(/line 81\n(.*\n)*line 100$/)
    expect(error.message).not.to.include('line 80\n')
    expect(await layers('plain')).to.deep.equal(before)
    expect(await inRoot('plain', 'cat /updated')).to.deep.equal(['new'])
  })

  it('leaves the root as it was when it is stopped', async () => {
    const context = makeContext()
    context.report.line = () => context.abort()
    const error = await failure(update('plain', ['sh', '-c', 'rm /updated; echo removed; sleep 1000'], context))
    expect(error.code).to.equal('ABORTED')
    expect(await inRoot('plain', 'cat /updated')).to.deep.equal(['new'])
  })

  it('has the network of the host', async () => {
    await update('plain', ['sh', '-c', 'cat /proc/net/dev > /devices'])
    const [own, host] = [await inRoot('plain', 'cat /devices'), execFileSync('cat', ['/proc/net/dev'])]
    const names = (text: string) => text.match(/^ *[^ :]+:/gm)
    expect(names(own.join('\n'))).to.deep.equal(names(String(host)))
  })

  it('waits for nobody: who uses the root keeps it away', async () => {
    const busy = lab.service.scratch('plain', makeContext(), () => failure(update('plain', ['true'])))
    expect((await busy).code).to.equal('CHROOT_BUSY')
  })

  it('is by pacman where the root has it, and asks for a command elsewhere', async () => {
    expect((await failure(update('plain'))).code).to.equal('CHROOT_UPDATE_UNKNOWN')
    await update('arch', ['pacman', '-Sy', '--noconfirm', 'tool'])
    expect(await inRoot('arch', 'cat /usr/share/tool/version')).to.deep.equal(['1-1'])
    const repo = join(lab.top, 'pacman/srv/repo')
    addPackage(repo, '2-1')
    const bind = { binds: [{ source: repo, target: '/srv/repo', writable: false }] }
    await lab.service.session('arch', makeContext(), async (session) => {
      await shell(session, 'cat /srv/repo/tools.db > /tools.db; cat /srv/repo/tool-2-1-any.pkg.tar.zst > /tool', bind)
      const taken =
        'mv /tool /srv/repo/tool-2-1-any.pkg.tar.zst; rm /srv/repo/tools.db; mv /tools.db /srv/repo/tools.db'
      expect((await shell(session, taken)).code).to.equal(0)
      await session.commit()
    })
    expect(await update('arch')).to.deep.equal(['pacman', '-Syu', '--noconfirm'])
    expect(await inRoot('arch', 'cat /usr/share/tool/version')).to.deep.equal(['2-1'])
  })

  it('keeps no packages that pacman has downloaded, and leaves what else lies there', async () => {
    const cache = '/var/cache/pacman/pkg'
    await update('arch', [
      'sh',
      '-c',
      `touch ${cache}/x-1-1-any.pkg.tar.zst ${cache}/x-1-1-any.pkg.tar.zst.sig ${cache}/own`,
    ])
    expect(await inRoot('arch', `ls ${cache}`)).to.deep.equal(['own'])
  })

  describe('by its command', () => {
    before(compile)

    it('shows the output, and tells what it did as JSON', async () => {
      const command = (...args: string[]) => treeswap(['chroot', 'update', '--builder', lab.top, ...args])
      const done = await command('plain', '--', 'sh', '-c', 'echo shown; echo x > /by-command')
      expect(done.exitCode, done.stderr).to.equal(0)
      expect(done.stderr).to.match(/updating the chroot plain: sh -c(.*\n)+ *shown\n/)
      expect(await inRoot('plain', 'cat /by-command')).to.deep.equal(['x'])

      const told = await command('arch', '--json')
      expect(told.exitCode, told.stderr).to.equal(0)
      expect(documentOf(told)).to.deep.include({ chroot: 'arch', command: ['pacman', '-Syu', '--noconfirm'] })

      const failed = await command('plain', '--json', '--', 'sh', '-c', 'echo why; exit 1')
      expect(failed.exitCode).to.equal(12)
      const { error } = documentOf(failed)
      expect(error).to.include({ code: 'CHROOT_UPDATE_FAILED' })
      expect(error?.message).to.include('why')
    })
  })
})
