import { expect } from 'chai'
import fc from 'fast-check'
import { acceptPackages } from '../../src/arch/accept.js'
import { holdBack as holdBackFor, providedNames } from '../../src/arch/hold-back.js'
import type { Change } from '../../src/arch/hold-back.js'
import { parseDependency, satisfies } from '../../src/arch/dependency.js'
import type { PackageRecord } from '../../src/model/pacman-package.js'
import { TreeswapError } from '../../src/model/errors.js'

function record(name: string, version: string, more: Partial<PackageRecord> = {}, base = name): PackageRecord {
  const none = { groups: [], licenses: [], replaces: [], conflicts: [], provides: [], depends: [], optDepends: [] }
  const info = { name, base, version, architecture: 'any', buildDate: 0, installedSize: 0, ...none }
  return { info: { ...info, makeDepends: [], checkDepends: [] }, files: [], libraries: [], needs: [], ...more }
}

/** Where the tree is concerned with all that its packages are called, and the distribution gives nothing. */
function holdBack(
  built: readonly Change[],
  staying: readonly PackageRecord[],
  given: string[] = [],
  more: string[] = [],
) {
  const all = [...staying, ...built.flatMap(({ now, before }) => [...now, ...before])]
  const names = new Set([...more, ...all.flatMap(({ info }) => [...providedNames(info)])])
  return holdBackFor(built, staying, { names, given: new Set(given) })
}

const old = record('lib', '1-1', { libraries: ['liba.so.1=64'] })
const fresh = record('lib', '2-1', { libraries: ['liba.so.2=64'] })
const user = record('user', '1-1', { needs: ['liba.so.1=64', 'libc.so.6=64'] })

describe('a library with a new soname', () => {
  const change = { base: 'lib', now: [fresh], before: [old] }

  it('is held back where what needs the old one stays as it was', () => {
    const [held] = holdBack([change], [user])
    expect(held?.base).to.equal('lib')
    expect(held?.reason).to.equal('user 1-1 needs liba.so.1, which would be gone')
  })

  it('is taken where that was built anew', () => {
    const rebuilt = record('user', '1-1.1', { needs: ['liba.so.2=64', 'libc.so.6=64'] })
    expect(holdBack([change, { base: 'user', now: [rebuilt], before: [user] }], [])).to.deep.equal([])
  })

  it('is taken where something else still has the old one, or nobody needs it', () => {
    const compat = record('lib-compat', '1-1', { libraries: ['liba.so.1=64'] })
    expect(holdBack([change], [user, compat])).to.deep.equal([])
    expect(holdBack([change], [record('other', '1-1')])).to.deep.equal([])
  })

  it('holds back what was built upon it, too', () => {
    const plugin = { base: 'plugin', now: [record('plugin', '2-1', { needs: ['liba.so.2=64'] })], before: [] }
    expect(holdBack([change, plugin], [user]).map(({ base }) => base)).to.have.members(['lib', 'plugin'])
  })

  it('does not count what the root gives', () => {
    const other = { base: 'x', now: [record('x', '2-1', { needs: ['libz.so.1=64'] })], before: [] }
    expect(holdBack([other], [])).to.deep.equal([])
  })
})

/** A package that depends on others when it is installed. */
function needing(name: string, version: string, depends: string[], provides: string[] = []): PackageRecord {
  const one = record(name, version)
  return { ...one, info: { ...one.info, depends, provides } }
}

describe('a package that needs another one of the tree when it is installed', () => {
  const tool = needing('tool', '2-1', ['helper>=2'])
  const change = { base: 'tool', now: [tool], before: [needing('tool', '1-1', ['helper'])] }
  const helper = needing('helper', '1-1', [])

  it('is held back where that failed, and is there in a version that does not do', () => {
    expect(holdBack([change], [helper])).to.deep.equal([
      { base: 'tool', reason: 'tool 2-1 needs helper>=2, which no package is', lacks: 'helper>=2' },
    ])
  })

  it('is held back where that failed and was never there', () => {
    expect(holdBack([change], [], [], ['helper']).map(({ base }) => base)).to.deep.equal(['tool'])
  })

  it('is taken where it is there, where something else provides it, or where the distribution has it', () => {
    expect(holdBack([change], [needing('helper', '2-1', [])])).to.deep.equal([])
    expect(holdBack([change], [helper, needing('other', '1-1', [], ['helper=3'])])).to.deep.equal([])
    expect(holdBack([change], [helper], ['helper>=2'])).to.deep.equal([])
    expect(holdBack([change], []), 'nobody here makes a helper').to.deep.equal([])
  })

  it('takes with it what needs its new version, and leaves the rest alone', () => {
    const [user, plain] = [needing('user', '2-1', ['tool>=2']), needing('plain', '2-1', ['tool'])]
    const more = [user, plain].map((one) => ({ base: one.info.name, now: [one], before: [] }))
    expect(holdBack([change, ...more], [helper]).map(({ base }) => base)).to.have.members(['tool', 'user'])
  })

  it('holds back the other one, where it stays as it was and needs its old version', () => {
    const fresh = { base: 'helper', now: [needing('helper', '2-1', [])], before: [helper] }
    const pinned = needing('pinned', '1-1', ['helper=1'])
    expect(holdBack([fresh], [pinned])).to.deep.equal([
      { base: 'helper', reason: 'pinned 1-1 needs helper=1, which would be gone', lacks: 'helper=1' },
    ])
    const again = { base: 'pinned', now: [needing('pinned', '1-1.1', ['helper=1'])], before: [pinned] }
    expect(
      holdBack([fresh, again], []).map(({ base }) => base),
      'its rebuild is as good as before',
    ).to.deep.equal(['helper'])
  })

  it('is held back where the old version is its own new wish', () => {
    const fresh = { base: 'helper', now: [needing('helper', '2-1', [])], before: [helper] }
    const now = needing('user', '2-1', ['helper=1'])
    const user = { base: 'user', now: [now], before: [needing('user', '1-1', ['helper'])] }
    expect(holdBack([fresh, user], []).map(({ base }) => base)).to.deep.equal(['user'])
  })

  const names = ['a', 'b', 'c', 'd', 'e']
  const dependency = fc
    .tuple(
      fc.constantFrom(...names, 'virtual'),
      fc.constantFrom('', '=', '>=', '<', '<=', '>'),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(([name, operator, version]) => (operator === '' ? name : `${name}${operator}${version}`))
  const packageOf = (name: string) =>
    fc
      .record({
        version: fc.integer({ min: 1, max: 3 }),
        depends: fc.array(dependency, { maxLength: 2 }),
        provides: fc.subarray(['virtual', 'virtual=2'], { maxLength: 1 }),
        soname: fc.integer({ min: 1, max: 2 }),
        needs: fc.subarray(
          names.flatMap((one) => [`lib${one}.so.1=64`, `lib${one}.so.2=64`]),
          { maxLength: 1 },
        ),
      })
      .map(({ version, depends, provides, soname, needs }) => ({
        ...needing(name, `${version}-1`, depends, provides),
        libraries: [`lib${name}.so.${soname}=64`],
        needs,
      }))
  const trees = fc.tuple(
    ...names.map((name) => fc.record({ before: fc.option(packageOf(name)), now: fc.option(packageOf(name)) })),
  )

  interface Tree {
    concern: ReadonlySet<string>
    sonames: ReadonlySet<string>
  }

  /** Dependencies and libraries that a package wants of the tree, and finds in none of these. */
  function lacks({ info, needs }: PackageRecord, all: readonly PackageRecord[], { concern, sonames }: Tree): string[] {
    const finds = (text: string): boolean => {
      const wanted = parseDependency(text)!
      return !concern.has(wanted.name) || all.some((one) => satisfies(one.info, wanted))
    }
    const has = (soname: string): boolean => !sonames.has(soname) || all.some((one) => one.libraries.includes(soname))
    return [...info.depends.filter((text) => !finds(text)), ...needs.filter((soname) => !has(soname))]
  }

  /** The package without what it does not find. */
  function content(one: PackageRecord, all: readonly PackageRecord[], tree: Tree): PackageRecord {
    const lacking = lacks(one, all, tree)
    const depends = one.info.depends.filter((text) => !lacking.includes(text))
    return { ...one, info: { ...one.info, depends }, needs: one.needs.filter((soname) => !lacking.includes(soname)) }
  }

  it('finds it in the tree, whatever was built and whatever failed, where it did so before', () => {
    let [held, whole] = [0, 0]
    fc.assert(
      fc.property(trees, (recipes) => {
        const every = recipes.flatMap(({ before, now }) => [before, now].filter((one) => one !== null))
        const concern = new Set(every.flatMap(({ info }) => [...providedNames(info)]))
        const tree = { concern, sonames: new Set(every.flatMap((one) => one.libraries)) }
        const had = recipes.flatMap(({ before }) => before ?? [])
        const base = new Map(had.map((one) => [one.info.name, content(one, had, tree)]))
        const before = (name: string): PackageRecord[] => [base.get(name)].filter((one) => one !== undefined)
        const built = recipes.flatMap(({ now }) =>
          now === null ? [] : [{ base: now.info.name, now: [now], before: before(now.info.name) }],
        )
        const staying = [...base.values()].filter(({ info }) => !built.some((one) => one.base === info.name))
        const back = new Set(holdBack(built, staying).map((one) => one.base))
        const settled = [...staying, ...built.flatMap((one) => (back.has(one.base) ? one.before : one.now))]
        expect(settled.flatMap((one) => lacks(one, settled, tree))).to.deep.equal([])
        const taken = [...staying, ...built.flatMap(({ now }) => now)]
        const wrong = taken.flatMap((one) => lacks(one, taken, tree))
        if (wrong.length === 0) expect([...back], 'nothing was wrong').to.deep.equal([])
        if (back.size > 0) held++
        else whole++
      }),
      { numRuns: 1000 },
    )
    expect(Math.min(held, whole), 'both were tried').to.be.greaterThan(50)
  })
})

describe('packages that a recipe made', () => {
  const expected = { base: 'x', version: '1-2', architecture: 'x86_64', names: ['x', 'x-docs'] }
  const made = (name: string, version = '1-2', more: Partial<PackageRecord> = {}, base = 'x') => ({
    file: `${name}-${version}-any.pkg.tar.zst`,
    record: record(name, version, more, base),
  })
  const refusal = (...packages: { file: string; record: PackageRecord }[]): string => {
    try {
      acceptPackages(expected, packages)
    } catch (error) {
      if (error instanceof TreeswapError && error.code === 'PACKAGES_REFUSED') return error.message
      throw error
    }
    return ''
  }

  it('are taken where all are there, with their debug symbols', () => {
    expect(refusal(made('x'), made('x-docs'), made('x-debug'))).to.equal('')
  })

  for (const [what, packages, message] of [
    ['a sibling is missing', [made('x')], 'made no package x-docs'],
    ['one has another version', [made('x', '1-1'), made('x-docs')], 'has the version 1-1 instead of 1-2'],
    ['one is of another recipe', [made('x', '1-2', {}, 'y'), made('x-docs')], 'of the recipe y'],
    ['one was not named', [made('x'), made('x-docs'), made('sudo')], 'none that the recipe names'],
    [
      'a package is there twice',
      [made('x'), made('x-docs'), { ...made('x'), file: 'x-1-2-any.pkg.tar.xz' }],
      'x-1-2-any.pkg.tar.xz is another file of x',
    ],
    [
      'a file is named otherwise',
      [{ ...made('x'), file: 'y-1-2-any.pkg.tar.zst' }, made('x-docs')],
      'by its .PKGINFO, x 1-2',
    ],
  ] as const) {
    it(`are refused where ${what}`, () => {
      expect(refusal(...packages)).to.include(message)
    })
  }
})
