import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { listGenerations } from '../../src/store/generations.js'
import { openStore } from '../../src/store/layout.js'
import { publishedNumber } from '../../src/store/references.js'
import { readState } from '../../src/store/state.js'
import { needsRoot } from '../lab/needs-root.js'
import { needsPacman } from '../lab/host-pacman.js'
import { pacmanPackage } from '../lab/pacman-package.js'
import { archive, sha256 } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'
import { compileDriver } from './injection.js'

const nobody = 65_534

describe('a publisher that is not root', function () {
  this.timeout(60_000)
  before(needsRoot)

  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-unprivileged-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  it('pulls, publishes and goes back', async () => {
    const artifacts = join(directory, 'artifacts')
    await archive(artifacts, 1, { world: 'one\n' })
    await archive(artifacts, 2, { world: 'two\n' }, { base: 1 })
    chmodSync(directory, 0o755)
    const { root } = openStore(join(directory, 'store'), { create: true })
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, root])
    const driver = compileDriver(directory)
    const asNobody = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--', process.execPath]
    const run = (...args: string[]): void => void execFileSync('setpriv', [...asNobody, driver, root, ...args])
    for (const number of ['1', '2']) run('pull', number, artifacts)
    for (const number of ['1', '2', '1']) run('publish', number)
    const store = openStore(root)
    expect(publishedNumber(store, 'box')).to.equal(1)
    expect(statSync(store.generation('box', 3)).uid).to.equal(nobody)

    // It cannot see who is inside of a generation, so it waits longer before it removes one.
    const replaced = (days: number): void => {
      const at = new Date(Date.now() - days * 86_400_000).toISOString()
      const state = readState(store, 'box')
      writeFileSync(
        store.state('box'),
        JSON.stringify({ ...state, history: state.history.map((entry) => ({ ...entry, at })) }),
      )
      run('publish', '1')
    }
    replaced(2)
    expect(listGenerations(store, 'box')).to.deep.equal([1, 2, 3])
    replaced(10)
    expect(listGenerations(store, 'box')).to.deep.equal([3])
  })

  it('lets pacman read a repo before clients do', async function () {
    needsPacman.call(this)
    const artifacts = join(directory, 'artifacts')
    await archiveRepo(artifacts, 1, { one: {} }, { tree: 'box' })
    chmodSync(directory, 0o755)
    const store = openStore(join(directory, 'store'), { create: true })
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, store.root])
    const driver = compileDriver(directory)
    const asNobody = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--', process.execPath]
    const run = (...args: string[]): string =>
      spawnSync('setpriv', [...asNobody, driver, store.root, ...args], { encoding: 'utf8' }).stdout
    run('pull', '1', artifacts)
    expect(run('try', '1')).to.include('"already":false')
    rmSync(store.pointer('box'))
    const object = store.object(sha256(pacmanPackage('one').bytes))
    const turned = pacmanPackage('one').bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte))
    rmSync(object)
    writeFileSync(object, turned, { mode: 0o644 })
    expect(run('try', '1').trim()).to.equal('PUBLISH_TRIAL')
    expect(publishedNumber(store, 'box')).to.equal(undefined)
  })
})
