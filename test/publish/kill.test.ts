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
import { archiveRepo } from '../store/repo.js'
import { compileDriver, needsStrace, runTampered } from './injection.js'

const grace = { graceSeconds: 86_400, trial: false }
const tree = 'box'

/** A tree of one kind with two builds, of which the second one leans on the first. */
interface Kind {
  name: string
  /** at which a publish of it is killed */
  calls: string[]
  archive(artifacts: string): Promise<unknown>
  /** files of a generation that say the same in two ways */
  indexes(top: string): [string, string]
}

const kinds: Kind[] = [
  {
    name: 'a machine',
    calls: ['rename', 'fsync', 'symlink', 'link', 'mkdir', 'openat'],
    async archive(artifacts) {
      await archive(artifacts, 1, { world: 'one\n', repo: { 'a/x': 'one\n' }, packages: { 'a/one': 'one' } })
      const packages = { 'a/one': 'one', 'a/two': 'two' }
      await archive(artifacts, 2, { world: 'two\n', repo: { 'a/x': 'two\n' }, packages }, { base: 1 })
    },
    indexes(top) {
      const index = join(top, '.binpkgs/Packages')
      return [gunzipSync(readFileSync(`${index}.gz`)).toString(), readFileSync(index, 'utf8')]
    },
  },
  {
    name: 'a pacman repo',
    calls: ['rename', 'fsync', 'symlink'],
    async archive(artifacts) {
      await archiveRepo(artifacts, 1, { one: {}, two: {} }, { tree })
      await archiveRepo(artifacts, 2, { one: {}, two: { version: '2.0-1' } }, { tree, base: 1 })
    },
    indexes(top) {
      const packagesIn = (file: string): string =>
        gunzipSync(readFileSync(join(top, 'os/x86_64', file)))
          .toString('latin1')
          .match(/(?<=%FILENAME%\n).+/g)!
          .join()
      for (const file of packagesIn('box.db').split(',')) expect(readdirSync(join(top, 'os/x86_64'))).to.include(file)
      return [packagesIn('box.db'), packagesIn('box.files')]
    },
  },
]

for (const kind of kinds) {
  describe(`after kill -9, with ${kind.name},`, function () {
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
      await kind.archive(artifacts)
      await newStore('calm', [1, 2])
      for (const number of [2, 1]) {
        // what one build supersedes would else stay beside the other one's
        await publish(store, tree, number, { ...grace, graceSeconds: 0 }, silent)
        whole.set(number, contentOf(store.pointer(tree)))
      }
    })
    after(() => {
      rmSync(directory, { recursive: true, force: true })
    })

    async function newStore(name: string, builds: number[]): Promise<void> {
      store = openStore(join(directory, name), { create: true })
      for (const number of builds) await pull(store, openDirectorySource(`dir:${artifacts}`), tree, number, silent)
    }

    function expectWholeTree(): void {
      const expected = whole.get(publishedNumber(store, tree)) ?? {}
      const isSuperseded = (path: string): boolean => path.includes('.pkg.tar') && !(path in expected)
      const found = Object.entries(contentOf(store.pointer(tree))).filter(([path]) => !isSuperseded(path))
      expect(Object.fromEntries(found)).to.deep.equal(expected)
      const [one, other] = kind.indexes(store.pointer(tree))
      expect(one).to.equal(other)
    }

    /** Every serial that can be seen anywhere on disk. */
    function highestSerial(): number {
      const names = readdirSync(join(store.root, 'published/.generations'))
      const used = names.map((name) => Number(/\.(\d+)(\.partial)?$/.exec(name)?.[1]))
      const { serial } = JSON.parse(readFileSync(store.state(tree), 'utf8')) as { serial: number }
      return Math.max(serial, ...used)
    }

    describe('of a publish', () => {
      for (const call of kind.calls) {
        it(`at any ${call}, clients have a whole tree and the next publish makes another`, async () => {
          await newStore(`publish-${call}`, [1, 2])
          await publish(store, tree, 1, grace, silent)
          let killed = 0
          for (const when of moments(call)) {
            const next = publishedNumber(store, tree) === 1 ? 2 : 1
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
            const other = publishedNumber(store, tree) === 1 ? 2 : 1
            expect((await publish(store, tree, other, grace, silent)).serial).to.be.greaterThan(highest)
            expectWholeTree()
            expect(publishedNumber(store, tree)).to.equal(other)
            expect(readState(store, tree).history.at(-1)?.build).to.equal(other)
            expect(unfinished()).to.deep.equal([])
          }
          expect(killed).to.be.greaterThan(0)
        })
      }
    })

    if (kind.name === 'a machine') {
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
              if (listBuilds(store, tree).includes(2)) await expectPublishable()
              if (code === 0) break
              expect(code, output).to.equal(null)
              killed++
              await pull(store, openDirectorySource(`dir:${artifacts}`), tree, 2, silent)
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
          await publish(store, tree, 1, grace, silent)
          const { code: exit, output } = await runTampered(driver, injection, [store.root, 'publish', '2'])
          expect([exit, output.trim()]).to.deep.equal([1, code])
          expect(publishedNumber(store, tree)).to.equal(1)
          expectWholeTree()
          expect(unfinished()).to.deep.equal([])
          expect(readdirSync(join(store.root, 'published/.generations'))).to.deep.equal(['box.1'])
          await publish(store, tree, 2, grace, silent)
          expectWholeTree()
        })
      }

      it('(or before it was made durable) a publish of what is published already makes that durable, or fails', async () => {
        await newStore('already', [1])
        await publish(store, tree, 1, grace, silent)
        const { code, output } = await runTampered(driver, 'fsync:error=EIO:when=1', [store.root, 'publish', '1'])
        expect([code, output.trim()]).to.deep.equal([1, 'DISK'])
      })

      it('(or rather an error of the disk) a pull that cannot be made durable records nothing', async () => {
        await newStore('pull-error', [1])
        const { code, output } = await runTampered(driver, 'syncfs:error=EIO', [store.root, 'pull', '2', artifacts])
        expect([code, output.trim()]).to.deep.equal([1, 'SYNC_FAILED'])
        expect(listBuilds(store, tree)).to.deep.equal([1])
        await pull(store, openDirectorySource(`dir:${artifacts}`), tree, 2, silent)
        await expectPublishable()
      })
    }

    async function expectPublishable(): Promise<void> {
      for (const path of readdirSync(join(store.root, 'objects'), { recursive: true, encoding: 'utf8' })) {
        if (path.includes('/')) {
          expect(sha256(readFileSync(join(store.root, 'objects', path)))).to.equal(path.slice(3, 67))
        }
      }
      await publish(store, tree, 2, grace, silent)
      expectWholeTree()
    }

    function unfinished(): string[] {
      const names = [...readdirSync(join(store.root, 'published')), ...readdirSync(join(store.root, 'trees'))]
      const inside = readdirSync(join(store.root, 'published/.generations'))
      expect(existsSync(store.pointer(tree))).to.equal(true)
      return [...names.filter((name) => name.endsWith('.tmp')), ...inside.filter((name) => name.endsWith('.partial'))]
    }
  })
}

/** The Nth use of a call at which to kill; the calls that matter one by one, the many equal ones here and there. */
function moments(call: string): number[] {
  const few = Array.from({ length: 30 }, (_, index) => index + 1)
  if (call === 'link') return [1, 4]
  if (call === 'mkdir') return [1, 2, 9]
  if (call === 'openat') return [40, 60, 80, 85, 90, 95, 100, 110]
  return few
}
