import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPackageFile } from '../../src/arch/package-file.js'
import { buildError } from '../../src/model/errors.js'
import type { KnownRecipe, RepoPlan } from '../../src/pipeline/plan-repo.js'
import { recipesOf, settle } from '../../src/pipeline/repo-outcome.js'
import type { TreePackage } from '../../src/pipeline/repo-packages.js'
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
      return [one.srcinfo.base, { ...found, release: undefined, ...one }]
    })
    return { ...plan(planned), recipes: new Map(known), broken: [] }
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
})
