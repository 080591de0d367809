import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { contentOf, contentOfAll, describeCheckout, fetchGit, restoreCheckout } from '../../src/git/git.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('a git source', () => {
  const directory = temporaryDirectory()
  const remote = () => join(directory(), 'remote')
  const clone = () => join(directory(), 'clone')
  const git = (...args: string[]) => execFileSync('git', ['-C', remote(), ...args], { encoding: 'utf8' })

  function commit(files: Record<string, string>): string {
    writeFiles(remote(), files)
    git('add', '--all')
    git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'change')
    return git('rev-parse', 'HEAD').trim()
  }

  beforeEach(() => {
    writeFiles(remote(), {})
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', remote()])
  })

  it('brings a clone to the newest commit, without what lay about in it', async () => {
    commit({ file: 'one', gone: '' })
    await fetchGit({ url: remote(), branch: 'main' }, clone(), silent)
    writeFiles(clone(), { stray: '', file: 'edited' })
    git('rm', '--quiet', 'gone')
    const head = commit({ file: 'two' })
    const checkout = await fetchGit({ url: remote(), branch: 'main' }, clone(), silent)
    expect(checkout.commit).to.equal(head)
    expect(readFileSync(join(clone(), 'file'), 'utf8')).to.equal('two')
    expect([existsSync(join(clone(), 'stray')), existsSync(join(clone(), 'gone'))]).to.deep.equal([false, false])
  })

  it('follows a branch that was rewritten', async () => {
    commit({ file: 'one' })
    await fetchGit({ url: remote() }, clone(), silent)
    git('checkout', '--quiet', '--orphan', 'other')
    git('branch', '-D', 'main')
    git('branch', '-m', 'main')
    const head = commit({ file: 'rewritten' })
    expect((await fetchGit({ url: remote() }, clone(), silent)).commit).to.equal(head)
  })

  it('names the content of one directory, which other commits do not change', async () => {
    commit({ 'database/world': 'a', 'web/world': 'b' })
    const before = await contentOf(await fetchGit({ url: remote() }, clone(), silent), 'database', silent)
    commit({ 'web/world': 'c' })
    const after = await contentOf(await fetchGit({ url: remote() }, clone(), silent), 'database', silent)
    expect(after).to.equal(before)
  })

  it('names the contents of all directories at once as it names one', async () => {
    commit({ PKGBUILD: '', 'a/b c/file': 'one', 'a/\u00e4/file': 'two' })
    const checkout = await fetchGit({ url: remote() }, clone(), silent)
    const all = await contentOfAll(checkout, silent)
    expect([...all.keys()]).to.have.members(['', 'a', 'a/b c', 'a/\u00e4'])
    for (const [path, content] of all) expect(content).to.equal(await contentOf(checkout, path, silent))
  })

  it('sends nothing a second time', async () => {
    const packs = join(directory(), 'packs')
    const noise = Array.from({ length: 2000 }, () => Math.random()).join()
    const received = async (url = `file://${remote()}`): Promise<number> => {
      process.env.GIT_TRACE_PACKFILE = packs
      try {
        await fetchGit({ url }, clone(), silent)
        return existsSync(packs) ? statSync(packs).size : 0
      } finally {
        Reflect.deleteProperty(process.env, 'GIT_TRACE_PACKFILE')
        rmSync(packs, { force: true })
      }
    }
    commit({ large: noise, file: 'one' })
    expect(await received()).to.be.greaterThan(10_000)
    expect(await received()).to.be.lessThan(100)
    commit({ file: 'two' })
    expect(await received()).to.be.lessThan(1000)
  })

  it('runs no hook of the machine and asks nobody when it cannot be reached', async () => {
    const error = await fetchGit({ url: join(directory(), 'nowhere') }, clone(), silent).catch(
      (caught: unknown) => caught,
    )
    expect(error).to.include({ code: 'GIT_FAILED', category: 'infrastructure' })
  })

  for (const [what, spoil] of Object.entries({
    'a lock': () => {
      writeFiles(clone(), { '.git/index.lock': '', '.git/shallow.lock': '' })
    },
    'an empty .git': () => {
      rmSync(join(clone(), '.git'), { recursive: true })
      mkdirSync(join(clone(), '.git'))
    },
    'damaged objects': () => {
      rmSync(join(clone(), '.git/objects'), { recursive: true })
      mkdirSync(join(clone(), '.git/objects'))
    },
    'an empty ref': () => {
      writeFiles(clone(), { '.git/refs/treeswap/fetched': '' })
    },
    'a ref to nothing': () => {
      writeFiles(clone(), { '.git/refs/treeswap/fetched': `${'1'.repeat(40)}\n` })
    },
    'an empty HEAD': () => {
      writeFiles(clone(), { '.git/HEAD': '' })
    },
  })) {
    it(`is fetched again where a killed git left ${what}`, async () => {
      commit({ file: 'one' })
      await fetchGit({ url: remote() }, clone(), silent)
      const head = commit({ file: 'two' })
      spoil()
      expect((await fetchGit({ url: remote() }, clone(), silent)).commit).to.equal(head)
      expect(readFileSync(join(clone(), 'file'), 'utf8')).to.equal('two')
    })
  }

  it("leaves the caller's repository alone, whatever its environment and wherever the clone lies", async () => {
    const head = commit({ file: 'one' })
    const own = join(directory(), 'own')
    execFileSync('git', ['init', '--quiet', own])
    writeFiles(own, { precious: '', 'clone/.git/HEAD': '', 'clone/.git/objects/x': '', 'clone/.git/refs/x': '' })
    const inherited = { GIT_DIR: join(own, '.git'), GIT_WORK_TREE: own, GIT_INDEX_FILE: join(own, '.git/index') }
    Object.assign(process.env, inherited)
    try {
      expect((await fetchGit({ url: remote() }, join(own, 'clone'), silent)).commit).to.equal(head)
    } finally {
      for (const name of Object.keys(inherited)) Reflect.deleteProperty(process.env, name)
    }
    expect(existsSync(join(own, 'precious'))).to.equal(true)
    expect(readFileSync(join(own, 'clone/file'), 'utf8')).to.equal('one')
  })

  it('takes files as they are committed: a repository starts no program and asks for no conversion', async () => {
    const ran = join(directory(), 'ran')
    writeFiles(directory(), { gitconfig: `[filter "lfs"]\n  smudge = touch ${ran}; cat\n  required = true\n` })
    const conversions = 'file filter=lfs\nlines text eol=crlf\nid ident\nwide working-tree-encoding=UTF-16\n'
    const files = { file: 'pointer', lines: 'a\nb\n', id: '$Id$', wide: '' }
    commit(files)
    // what committing would convert is committed before
    commit({ ...files, '.gitattributes': conversions })
    process.env.GIT_CONFIG_GLOBAL = join(directory(), 'gitconfig')
    try {
      await fetchGit({ url: remote() }, clone(), silent)
    } finally {
      Reflect.deleteProperty(process.env, 'GIT_CONFIG_GLOBAL')
    }
    expect(existsSync(ran)).to.equal(false)
    for (const [name, text] of Object.entries(files)) {
      expect(readFileSync(join(clone(), name), 'utf8'), name).to.equal(text)
    }
  })

  it('says which step of git failed, and where', async () => {
    commit({ file: 'one' })
    const checkout = await fetchGit({ url: remote() }, clone(), silent)
    const error = await contentOf(checkout, 'nowhere', silent).catch((caught: unknown) => caught)
    expect(error).to.include({ code: 'GIT_FAILED' })
    expect((error as Error).message).to.contain(`git rev-parse in ${clone()} failed: `)
  })

  it('comes back to the commit that was fetched, though another process went on', async () => {
    commit({ file: 'one' })
    const checkout = await fetchGit({ url: remote() }, clone(), silent)
    commit({ file: 'two' })
    await fetchGit({ url: remote() }, clone(), silent)
    writeFiles(clone(), { stray: '' })
    await restoreCheckout(checkout, silent)
    expect(readFileSync(join(clone(), 'file'), 'utf8')).to.equal('one')
    expect(existsSync(join(clone(), 'stray'))).to.equal(false)
  })

  it('that belongs to another user is refused with the way out, not taken for no checkout', async function () {
    if (process.getuid?.() !== 0) this.skip()
    commit({ file: 'one' })
    execFileSync('chown', ['-R', '65534:65534', remote()])
    const error = await describeCheckout(remote(), silent).catch((caught: unknown) => caught)
    expect(error).to.include({ code: 'CHECKOUT_FOREIGN' })
  })

  it('is undefined for a directory that is no checkout', async () => {
    expect(await describeCheckout(directory(), silent)).to.equal(undefined)
  })
})
