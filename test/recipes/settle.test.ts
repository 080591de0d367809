import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPackageFile } from '../../src/arch/package-file.js'
import { buildError } from '../../src/model/errors.js'
import type { KnownRecipe, RepoPlan } from '../../src/recipes/plan-repo.js'
import { recipesOf } from '../../src/recipes/repo-outcome.js'
import type { TreePackage } from '../../src/recipes/repo-packages.js'
import { settle } from '../../src/recipes/settle.js'
import { plan, recipe } from '../arch/planned.js'
import { pacmanPackage } from '../lab/pacman-package.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('what a run of builds came to', () => {
  const directory = temporaryDirectory()

  /** A package file, and what is read of it. */
  async function packageOf(directory: string, name: string, version: string, depends: string[]): Promise<TreePackage> {
    const { file, bytes } = pacmanPackage(name, { version, depends })
    const path = join(directory, file)
    writeFileSync(path, bytes)
    return { path, file, size: bytes.length, sha256: '', record: await readPackageFile(path, silent), base: name }
  }

  function planOf(...planned: ReturnType<typeof recipe>[]): RepoPlan {
    const known = planned.map((one): [string, KnownRecipe] => {
      const found = { directory: '/nowhere', path: undefined, commit: 'c'.repeat(40), commitTime: 0, content: 'c' }
      return [one.srcinfo.base, { ...found, release: undefined, sourceDate: 0, ...one }]
    })
    return { ...plan(planned), recipes: new Map(known), broken: [], warnings: [] }
  }

  const failed = new Map([['helper', buildError('RECIPE_FAILED', 'it failed', '')]])
  const both = planOf(recipe('helper'), recipe('tool', { packages: [{ name: 'tool', depends: ['helper>=2'] }] }))

  for (const [where, before] of [
    ['in an older version', '1.0-1'],
    ['not at all', undefined],
  ] as const) {
    it(`leaves a package as it was whose dependency failed and is there ${where}`, async () => {
      const old = await packageOf(directory(), 'tool', '1.0-1', [])
      const had = new Map([['tool', old]])
      if (before !== undefined) had.set('helper', await packageOf(directory(), 'helper', before, []))
      const made = await packageOf(directory(), 'tool', '2.0-1', ['helper>=2'])
      const built = new Map([['tool', { version: '2.0-1', packages: [made], libraries: new Map() }]])
      const asked: string[] = []
      const settled = await settle(both, { built, failed, skipped: new Map() }, had, (names) => {
        asked.push(...names)
        return Promise.resolve([...names])
      })
      expect(asked).to.deep.equal(['helper>=2'])
      expect(settled.packages.get('tool')).to.deep.equal(old)
      expect(settled.outcomes.find(({ base }) => base === 'tool')).to.deep.equal({
        base: 'tool',
        version: '2.0-1',
        status: 'held',
        reason: 'tool 2.0-1 needs helper>=2, which no package is',
      })
      const { recipes } = recipesOf({
        ...{ architecture: 'x86_64', plan: both, before: undefined, settled, number: 1, root: new Map() },
      })
      expect(recipes.get('tool')?.status).to.equal('held')
    })
  }

  it('takes a package whose dependency failed where the distribution has it', async () => {
    const made = await packageOf(directory(), 'tool', '2.0-1', ['helper>=2'])
    const built = new Map([['tool', { version: '2.0-1', packages: [made], libraries: new Map() }]])
    const settled = await settle(both, { built, failed, skipped: new Map() }, new Map(), () => Promise.resolve([]))
    expect([...settled.taken.keys()]).to.deep.equal(['tool'])
  })

  describe('of recipes whose packages move', () => {
    const takeAll = (): Promise<string[]> => Promise.resolve([])
    const gone = (base: string, ...planned: ReturnType<typeof recipe>[]) => ({ ...planOf(...planned), removed: [base] })

    it('leaves them to the recipe that is gone until the one that takes them over was built', async () => {
      const old = await packageOf(directory(), 'alpha', '1.0-1', [])
      const moved = gone('alpha', recipe('alpha-new', { packages: [{ name: 'alpha' }] }))
      const error = new Map([['alpha-new', buildError('RECIPE_FAILED', 'it failed', '')]])
      const had = new Map([['alpha', old]])
      const failing = await settle(moved, { built: new Map(), failed: error, skipped: new Map() }, had, takeAll)
      expect(failing.packages.get('alpha')).to.deep.equal(old)
      expect(failing.outcomes.map(({ base, status }) => [base, status])).to.deep.equal([
        ['alpha-new', 'failed'],
        ['alpha', 'held'],
      ])
      const made = await packageOf(directory(), 'alpha', '1.1-1', [])
      const built = new Map([['alpha-new', { version: '1.1-1', packages: [made], libraries: new Map() }]])
      const done = await settle(moved, { built, failed: new Map(), skipped: new Map() }, had, takeAll)
      expect(done.packages.get('alpha')).to.deep.equal({ ...made, base: 'alpha-new' })
      expect(done.outcomes.map(({ base, status }) => [base, status])).to.deep.equal([
        ['alpha-new', 'built'],
        ['alpha', 'removed'],
      ])
    })

    it('holds a recipe back that makes what another one has, which stays as it was', async () => {
      const docs = { ...(await packageOf(directory(), 'alpha-docs', '1.0-1', [])), base: 'alpha' }
      const split = planOf(recipe('alpha'), recipe('alpha-docs'))
      const made = await packageOf(directory(), 'alpha-docs', '2.0-1', [])
      const built = new Map([['alpha-docs', { version: '2.0-1', packages: [made], libraries: new Map() }]])
      const error = new Map([['alpha', buildError('RECIPE_FAILED', 'it failed', '')]])
      const had = new Map([['alpha-docs', docs]])
      const settled = await settle(split, { built, failed: error, skipped: new Map() }, had, takeAll)
      expect(settled.packages.get('alpha-docs')).to.deep.equal(docs)
      expect(settled.outcomes.find(({ base }) => base === 'alpha-docs')).to.include({
        status: 'held',
        reason: 'alpha-docs is still made by alpha, which stays as it was',
      })
    })

    it('holds a recipe back whose debug package has the name of what another recipe makes', async () => {
      const split = planOf(recipe('alpha'), recipe('alpha-debug'))
      const alpha = await packageOf(directory(), 'alpha', '1.0-1', [])
      const debug = await packageOf(directory(), 'alpha-debug', '1.0-1', [])
      const other = await packageOf(directory(), 'alpha-debug', '2.0-1', [])
      for (const order of [1, -1]) {
        const of = (version: string, packages: TreePackage[]) => ({ version, packages, libraries: new Map() })
        const built = new Map([
          ['alpha-debug', of('2.0-1', [other])],
          ['alpha', of('1.0-1', [alpha, debug])],
        ])
        const turned = new Map(order > 0 ? [...built] : [...built].reverse())
        const outcome = { built: turned, failed: new Map(), skipped: new Map() }
        const settled = await settle(split, outcome, new Map(), takeAll)
        expect(settled.packages).to.deep.equal(new Map([['alpha-debug', { ...other, base: 'alpha-debug' }]]))
        expect(settled.outcomes.find(({ base }) => base === 'alpha')).to.include({
          status: 'held',
          reason: 'alpha-debug is what the recipe alpha-debug names, and only that may make it',
        })
      }
    })
  })
})
