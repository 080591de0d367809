import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { publish } from '../../src/publish/publish.js'
import { listBuilds } from '../../src/store/builds.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { publishedNumber } from '../../src/store/references.js'
import { readState } from '../../src/store/state.js'
import { silent } from '../lab/silent.js'
import { archive, contentOf, sha256 } from '../store/machine.js'
import { compileDriver, needsStrace, runTampered } from './injection.js'

const one = { world: 'one\n', repo: { 'a/x': 'one\n' }, packages: { 'a/one': 'one' } }
const two = { world: 'two\n', repo: { 'a/x': 'two\n' }, packages: { 'a/one': 'one', 'a/two': 'two' } }
const grace = { graceSeconds: 86_400 }

describe('after kill -9', function () {
  this.timeout(180_000)
  before(needsStrace)

  let directory: string
  let artifacts: string
  let driver: string
  let store: Store
  /** what each build's tree is, from a store in which nothing was killed */
  const whole = new Map<number | undefined, Record<string, string>>()

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-kill-'))
    artifacts = join(directory, 'artifacts')
    driver = compileDriver(directory)
    await archive(artifacts, 1, one)
    await archive(artifacts, 2, two, { base: 1 })
    await newStore('calm', [1, 2])
    for (const number of [2, 1]) {
      await publish(store, 'box', number, grace, silent)
      whole.set(number, contentOf(store.pointer('box')))
    }
  })
  after(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  async function newStore(name: string, builds: number[]): Promise<void> {
    store = openStore(join(directory, name), { create: true })
    for (const number of builds) await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', number, silent)
  }

  function expectWholeTree(): void {
    expect(contentOf(store.pointer('box'))).to.deep.equal(whole.get(publishedNumber(store, 'box')))
    const index = join(store.pointer('box'), '.binpkgs/Packages')
    expect(gunzipSync(readFileSync(`${index}.gz`)).toString()).to.equal(readFileSync(index, 'utf8'))
  }

  /** Every serial that can be seen anywhere on disk. */
  function highestSerial(): number {
    const names = readdirSync(join(store.root, 'published/.generations'))
    const used = names.map((name) => Number(/\.(\d+)(\.partial)?$/.exec(name)?.[1]))
    const { serial } = JSON.parse(readFileSync(store.state('box'), 'utf8')) as { serial: number }
    return Math.max(serial, ...used)
  }

  describe('of a publish', () => {
    for (const call of ['rename', 'fsync', 'symlink', 'link', 'mkdir', 'openat']) {
      it(`at any ${call}, clients have a whole tree and the next publish makes another`, async () => {
        await newStore(`publish-${call}`, [1, 2])
        await publish(store, 'box', 1, grace, silent)
        let killed = 0
        for (const when of moments(call)) {
          const next = publishedNumber(store, 'box') === 1 ? 2 : 1
          const { code, output } = await runTampered(driver, `${call}:signal=KILL:when=${when}`, [
            store.root,
            'publish',
            String(next),
          ])
          expectWholeTree()
          if (code === 0) break
          expect(code, output).to.equal(null)
          killed++
          const highest = highestSerial()
          const other = publishedNumber(store, 'box') === 1 ? 2 : 1
          expect((await publish(store, 'box', other, grace, silent)).serial).to.be.greaterThan(highest)
          expectWholeTree()
          expect(publishedNumber(store, 'box')).to.equal(other)
          expect(readState(store, 'box').history.at(-1)?.build).to.equal(other)
          expect(unfinished()).to.deep.equal([])
        }
        expect(killed).to.be.greaterThan(0)
      })
    }
  })

  describe('of a pull', () => {
    for (const call of ['rename', 'fsync', 'mkdir']) {
      it(`at any ${call}, nothing is recorded that is not there, and the next pull completes it`, async () => {
        let killed = 0
        for (const when of moments(call)) {
          await newStore(`pull-${call}-${when}`, [1])
          const { code, output } = await runTampered(driver, `${call}:signal=KILL:when=${when}`, [
            store.root,
            'pull',
            '2',
            artifacts,
          ])
          if (listBuilds(store, 'box').includes(2)) await expectPublishable()
          if (code === 0) break
          expect(code, output).to.equal(null)
          killed++
          await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', 2, silent)
          await expectPublishable()
          expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
          rmSync(store.root, { recursive: true })
        }
        expect(killed).to.be.greaterThan(0)
      })
    }
  })

  for (const [injection, code] of [
    ['syncfs:error=EIO', 'SYNC_FAILED'],
    ['link:error=ENOSPC:when=4', 'DISK'],
    ['mkdir:error=EDQUOT:when=6', 'DISK'],
    ['symlink:error=EIO', 'DISK'],
    ['rename:error=EIO:when=2', 'DISK'],
    ['fsync:error=EIO:when=1', 'DISK'],
  ] as const) {
    it(`(or rather an error of the disk: ${injection}) a publish fails with ${code}, and clients notice nothing`, async () => {
      await newStore(`error-${injection.replace(/\W/g, '-')}`, [1, 2])
      await publish(store, 'box', 1, grace, silent)
      const { code: exit, output } = await runTampered(driver, injection, [store.root, 'publish', '2'])
      expect([exit, output.trim()]).to.deep.equal([1, code])
      expect(publishedNumber(store, 'box')).to.equal(1)
      expectWholeTree()
      expect(unfinished()).to.deep.equal([])
      expect(readdirSync(join(store.root, 'published/.generations'))).to.deep.equal(['box.1'])
      await publish(store, 'box', 2, grace, silent)
      expectWholeTree()
    })
  }

  it('(or before it was made durable) a publish of what is published already makes that durable, or fails', async () => {
    await newStore('already', [1])
    await publish(store, 'box', 1, grace, silent)
    const { code, output } = await runTampered(driver, 'fsync:error=EIO:when=1', [store.root, 'publish', '1'])
    expect([code, output.trim()]).to.deep.equal([1, 'DISK'])
  })

  it('(or rather an error of the disk) a pull that cannot be made durable records nothing', async () => {
    await newStore('pull-error', [1])
    const { code, output } = await runTampered(driver, 'syncfs:error=EIO', [store.root, 'pull', '2', artifacts])
    expect([code, output.trim()]).to.deep.equal([1, 'SYNC_FAILED'])
    expect(listBuilds(store, 'box')).to.deep.equal([1])
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', 2, silent)
    await expectPublishable()
  })

  async function expectPublishable(): Promise<void> {
    for (const path of readdirSync(join(store.root, 'objects'), { recursive: true, encoding: 'utf8' })) {
      if (path.includes('/')) {
        expect(sha256(readFileSync(join(store.root, 'objects', path)))).to.equal(path.slice(3, 67))
      }
    }
    await publish(store, 'box', 2, grace, silent)
    expectWholeTree()
  }

  function unfinished(): string[] {
    const names = [...readdirSync(join(store.root, 'published')), ...readdirSync(join(store.root, 'trees'))]
    const inside = readdirSync(join(store.root, 'published/.generations'))
    expect(existsSync(store.pointer('box'))).to.equal(true)
    return [...names.filter((name) => name.endsWith('.tmp')), ...inside.filter((name) => name.endsWith('.partial'))]
  }
})

/** The Nth use of a call at which to kill; the calls that matter one by one, the many equal ones here and there. */
function moments(call: string): number[] {
  const few = Array.from({ length: 30 }, (_, index) => index + 1)
  if (call === 'link') return [1, 4]
  if (call === 'mkdir') return [1, 2, 9]
  if (call === 'openat') return [40, 60, 80, 85, 90, 95, 100, 110]
  return few
}
