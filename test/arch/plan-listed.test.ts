import { expect } from 'chai'
import type { RecipePlan } from '../../src/arch/plan.js'
import { allBuilt, listed, plan, recipe, SOURCE, toBuild } from './planned.js'

describe('a listed recipe, whatever its author makes of it,', () => {
  const other = 'b'.repeat(64)
  const refusedOf = ({ refused }: RecipePlan): string[] =>
    [...refused].map(([{ srcinfo }, error]) => `${srcinfo.base} ${error.code}`)
  const own = recipe('alpha', { fingerprint: other })
  const rest = [recipe('zeta'), listed('theta')]
  const before = allBuilt([recipe('alpha'), ...rest, listed('gamma')])

  const changes = {
    'makes a package that an own recipe makes': listed('gamma', { packages: [{ name: 'gamma' }, { name: 'alpha' }] }),
    'takes the pkgbase of an own recipe': listed('gamma', { base: 'alpha', packages: [{ name: 'gamma' }] }),
    'makes the package with the keys of the repo': listed('gamma', { packages: [{ name: 'own-keyring' }] }),
    'takes the name of the package with the keys of the repo': listed('gamma', {
      base: 'own-keyring',
      packages: [{ name: 'gamma' }],
    }),
  }
  for (const [what, gamma] of Object.entries(changes)) {
    it(`stays as it was where it ${what}, and nothing else does`, () => {
      const found = plan([gamma, own, ...rest], { before, reserved: new Set(['own-keyring']) })
      expect(toBuild(found)).to.deep.equal(['alpha'])
      expect(found).to.deep.include({ removed: [], staying: ['gamma'] })
      expect(refusedOf(found)).to.deep.equal([`${gamma.srcinfo.base} PACKAGE_TWICE`])
    })
  }

  it('stays as it was where a preference takes some of its packages away', () => {
    const gamma = listed('gamma', { packages: [{ name: 'gamma' }, { name: 'alpha' }] })
    const found = plan([gamma, own, ...rest], { before, prefer: new Map([['alpha', SOURCE]]) })
    expect(toBuild(found)).to.deep.equal(['alpha'])
    expect(found).to.deep.include({ removed: [], staying: ['gamma'], replaced: [] })
    expect([...found.refused.values()][0]?.hint).to.include('take it off the list')
  })

  it('keeps nothing else from being built where it never was', () => {
    const gamma = listed('gamma', { packages: [{ name: 'gamma' }, { name: 'alpha' }] })
    const found = plan([gamma, own, recipe('zeta')], { before: allBuilt([recipe('alpha'), ...rest]) })
    expect(toBuild(found)).to.deep.equal(['alpha'])
    expect(found).to.deep.include({ removed: ['theta'], staying: [] })
  })

  it('keeps what it had first, and what an own recipe of that name was before', () => {
    const gamma = listed('gamma', { packages: [{ name: 'gamma' }, { name: 'shared' }] })
    const had = allBuilt([gamma, recipe('alpha'), recipe('zeta')])
    const alpha = recipe('alpha', { packages: [{ name: 'alpha' }, { name: 'shared' }] })
    const found = plan([gamma, alpha, recipe('zeta')], { before: had })
    expect(found).to.deep.include({ removed: [], staying: ['alpha', 'gamma'] })
    expect(found.replaced.map(({ base }) => base)).to.deep.equal(['alpha'])
    expect(refusedOf(found)).to.deep.equal(['gamma PACKAGE_TWICE'])
  })

  it('goes on making what two listed ones make, where it did so before; else neither does', () => {
    const [first, second] = [listed('one'), listed('two', { packages: [{ name: 'two' }, { name: 'one' }] })]
    expect(refusedOf(plan([first, second, own]))).to.deep.equal(['one PACKAGE_TWICE', 'two PACKAGE_TWICE'])
    expect(toBuild(plan([first, second, own]))).to.deep.equal(['alpha'])
    const after = plan([first, second, own], { before: allBuilt([first, own]) })
    expect(refusedOf(after)).to.deep.equal(['two PACKAGE_TWICE'])
    expect(after.steps.map(({ base }) => base)).to.deep.equal(['alpha', 'one'])
    expect(toBuild(plan([first, second], { prefer: new Map([['one', first.source]]) }))).to.deep.equal(['one'])
  })

  it('takes no listed one along that makes the same, where it cannot be taken itself', () => {
    const greedy = listed('greedy', { packages: [{ name: 'alpha' }, { name: 'one' }] })
    const found = plan([greedy, listed('one'), own])
    expect(refusedOf(found)).to.deep.equal(['greedy PACKAGE_TWICE'])
    expect(toBuild(found)).to.deep.equal(['alpha', 'one'])
  })

  it('is left out with the others of its cycle; what needs them is not', () => {
    const gamma = listed('gamma', { makeDepends: ['delta'] })
    const delta = listed('delta', { depends: ['gamma'] })
    const user = recipe('user', { depends: ['gamma'] })
    const found = plan([gamma, delta, user, own], { before: allBuilt([listed('gamma'), delta, recipe('alpha')]) })
    expect(refusedOf(found)).to.have.members(['gamma RECIPES_CYCLIC', 'delta RECIPES_CYCLIC'])
    expect(found).to.deep.include({ removed: [], staying: ['delta', 'gamma'] })
    expect(toBuild(found)).to.deep.equal(['alpha', 'user'])
    const error = [...found.refused.values()][0]
    expect(error).to.include({ hint: 'take delta or gamma off the list until its author has mended that' })
    expect(error?.message).to.match(/: delta → gamma → delta$/)
  })

  it('is left out alone where its packages close a cycle of own recipes', () => {
    const gamma = listed('gamma', { packages: [{ name: 'gamma', depends: ['zeta'] }] })
    const cycle = [recipe('alpha', { makeDepends: ['gamma'] }), recipe('zeta', { makeDepends: ['alpha'] })]
    const found = plan([gamma, ...cycle])
    expect(refusedOf(found)).to.deep.equal(['gamma RECIPES_CYCLIC'])
    expect(toBuild(found)).to.deep.equal(['alpha', 'zeta'])
  })

  it('stays, where its list has moved and its packages have another source than before', () => {
    const gamma = listed('gamma', { makeDepends: ['delta'] })
    const delta = listed('delta', { depends: ['gamma'] })
    const old = allBuilt(['gamma', 'delta'].map((name) => recipe(name, { source: `https://old.example.org/${name}` })))
    expect(plan([gamma, delta, own], { before: old })).to.deep.include({ removed: [], staying: ['delta', 'gamma'] })
  })

  it('that was asked for says why it is not built', () => {
    const gamma = listed('gamma', { packages: [{ name: 'alpha' }] })
    expect(() => plan([gamma, own], { asked: new Set(['gamma']) })).to.throw(
      /alpha has a recipe in more than one source/,
    )
  })

  it('does not hide a fault of the own recipes', () => {
    const gamma = listed('gamma', { packages: [{ name: 'alpha' }] })
    const twice = recipe('alpha', { source: 'https://git.example.org/alpha.git' })
    expect(() => plan([gamma, own, twice])).to.throw(/more than one source/)
    const cycle = [recipe('a', { depends: ['b'] }), recipe('b', { depends: ['a'] })]
    expect(() => plan([gamma, own, ...cycle])).to.throw(/: a → b → a$/)
    expect(() => plan([recipe('own-keyring')], { reserved: new Set(['own-keyring']) })).to.throw(/keys of the repo/)
  })
})

describe('recipes that cannot take the place of what could not be read', () => {
  it('stay as they were', () => {
    const lost = recipe('lost', { source: 'https://git.example.org/lost.git' })
    const before = allBuilt([lost, recipe('suite'), recipe('more')])
    const suite = recipe('suite', { packages: [{ name: 'suite' }, { name: 'lost' }] })
    const found = plan([suite, recipe('more')], { before, unread: [{ url: lost.source }] })
    expect(found).to.deep.include({ removed: [], staying: ['lost', 'suite'] })
    expect(found.steps.map(({ base }) => base)).to.deep.equal(['more'])
  })

  it('take nothing along that others make', () => {
    const lost = recipe('lost', { source: 'https://git.example.org/lost.git' })
    const before = allBuilt([lost, recipe('more')])
    const greedy = listed('greedy', { packages: [{ name: 'lost' }, { name: 'more' }] })
    const found = plan([greedy, recipe('more')], { before, unread: [{ url: lost.source }] })
    expect(found).to.deep.include({ removed: [], staying: ['lost'] })
    expect(found.steps.map(({ base }) => base)).to.deep.equal(['more'])
  })
})
