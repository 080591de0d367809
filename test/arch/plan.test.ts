import { expect } from 'chai'
import fc from 'fast-check'
import { acyclic, allBuilt, dependantsOf, made, plan, recipe, toBuild } from './planned.js'

const other = 'b'.repeat(64)

describe('a plan of recipes', () => {
  it('puts every recipe behind all it needs, once', () => {
    fc.assert(
      fc.property(acyclic, ({ recipes, edges }) => {
        const order = plan(recipes).steps.map(({ base }) => base)
        expect(order.toSorted()).to.deep.equal([...edges.keys()].sort())
        for (const [base, needs] of edges) {
          for (const need of needs)
            expect(order.indexOf(need), `${need} for ${base}`).to.be.lessThan(order.indexOf(base))
        }
      }),
    )
  })

  it('is the same whatever the order in which recipes come', () => {
    fc.assert(
      fc.property(
        acyclic.chain(({ recipes }) =>
          fc.tuple(fc.constant(recipes), fc.shuffledSubarray(recipes, { minLength: recipes.length })),
        ),
        ([recipes, shuffled]) => void expect(plan(shuffled)).to.deep.equal(plan(recipes)),
      ),
    )
  })

  it('builds nothing where nothing has changed', () => {
    fc.assert(
      fc.property(acyclic, ({ recipes }) => {
        expect(toBuild(plan(recipes, { before: allBuilt(recipes) }))).to.deep.equal([])
      }),
    )
  })

  it('builds what has changed and everything that leads to it, and says which only follow', () => {
    fc.assert(
      fc.property(
        acyclic.chain((graph) => fc.tuple(fc.constant(graph), fc.constantFrom(...graph.edges.keys()))),
        ([{ recipes, edges }, changed]) => {
          const before = allBuilt(recipes)
          const now = recipes.map((one) => (one.srcinfo.base === changed ? { ...one, fingerprint: other } : one))
          const made = plan(now, { before })
          const following = dependantsOf([changed], edges)
          expect(toBuild(made).sort()).to.deep.equal([changed, ...following].sort())
          expect(made.steps.filter(({ follows }) => follows).map(({ base }) => base)).to.have.members([...following])
        },
      ),
    )
  })

  it('is made of 1,000 recipes before the test is out of time, though countless paths lead from one to another', () => {
    const recipes = Array.from({ length: 1000 }, (_, index) =>
      recipe(`r${index}`, { depends: index < 2 ? [] : [`r${index - 1}`, `r${index - 2}`] }),
    )
    const { steps } = plan(recipes, { before: allBuilt(recipes), asked: new Set(['r0']) })
    expect(steps.at(-1)?.needs).to.have.length(999)
  })

  describe('says why', () => {
    const lib = recipe('lib')
    const app = recipe('app', { depends: ['lib'] })
    const why = (
      changes: Parameters<typeof allBuilt>[1],
      rest: Parameters<typeof plan>[1] = {},
      recipes = [lib, app],
    ) =>
      Object.fromEntries(
        plan(recipes, { before: allBuilt([lib, app], changes), ...rest }).steps.map((step) => [step.base, step.why]),
      )

    it('a recipe is new', () => {
      expect(why({}, {}, [lib, app, recipe('more')])).to.deep.equal({ lib: [], app: [], more: ['it is new'] })
    })

    it('it was never built', () => {
      expect(why({ app: { packages: [], built: 0, status: 'failed' } }).app).to.deep.equal([
        'it was never built: its build failed',
      ])
    })

    it('its inputs changed, or are still those of a build that failed, was skipped or held', () => {
      expect(why({ lib: { fingerprint: other } }).lib).to.deep.equal(['its recipe or its sources have changed'])
      expect(why({ lib: { fingerprint: other, status: 'failed' } }).lib).to.deep.equal(['its build failed last time'])
      expect(why({ lib: { fingerprint: other, status: 'held' } }).lib).to.deep.equal(['it was held back last time'])
    })

    it('nothing, where one that failed says again what its packages are made of', () => {
      expect(why({ lib: { status: 'failed' }, app: { status: 'skipped' } })).to.deep.equal({ lib: [], app: [] })
    })

    it('it was asked for, or misses a library', () => {
      expect(why({}, { asked: new Set(['app']) })).to.deep.equal({ lib: [], app: ['it was asked for'] })
      expect(why({}, { missing: new Map([['app', ['libx.so.1', 'liby.so.2']]]) }).app).to.deep.equal([
        'the root no longer has libx.so.1, liby.so.2',
      ])
    })

    it('what it is built with will be built, has another version, came in or is gone', () => {
      expect(why({}, { asked: new Set(['lib']) }).app).to.deep.equal(['lib will be built'])
      expect(why({ lib: { packages: [made('lib', '2-1')] } }).app).to.deep.equal(['lib is 2-1, was 1-1'])
      expect(why({ app: { dependencies: new Map() } }).app).to.deep.equal(['it was not built with lib of this tree'])
      expect(why({}, {}, [app]).app).to.deep.equal(['lib is no longer in this tree'])
    })
  })

  it('names what is gone', () => {
    const before = allBuilt([recipe('b'), recipe('a'), recipe('kept')])
    expect(plan([recipe('kept')], { before }).removed).to.deep.equal(['a', 'b'])
  })

  it('leaves alone what came from where something could not be read, and what was built with it', () => {
    const aur = 'https://aur.example.org'
    const listed = (base: string, rest = {}) => recipe(base, { source: `${aur}/${base}.git`, ...rest })
    const all = [listed('dep'), listed('helper', { depends: ['dep'] }), recipe('own', { depends: ['dep'] })]
    const before = allBuilt([...all, recipe('gone')])
    const found = plan([recipe('own', { depends: ['dep'] })], { before, unread: [{ url: aur }] })
    expect(found).to.deep.include({ removed: ['gone'], staying: ['dep', 'helper'] })
    expect(toBuild(found)).to.deep.equal([])
    expect(plan([], { before, unread: [{ url: 'https://aur.example' }] }).staying).to.deep.equal([])
  })

  it('lets nothing take the place of what could not be read', () => {
    const mine = 'https://git.example.org/mine.git'
    const foreign = { source: 'https://aur.example.org/alpha.git', version: '9-1' }
    const before = allBuilt([recipe('alpha', { source: mine, packages: [{ name: 'alpha' }, { name: 'alpha-docs' }] })])
    for (const unread of [[{ url: mine }], [{ base: 'alpha' }]]) {
      for (const other of [
        recipe('alpha', foreign),
        recipe('strange', { ...foreign, packages: [{ name: 'alpha-docs' }] }),
      ]) {
        const found = plan([other], { before, unread })
        expect(found).to.deep.include({ steps: [], staying: ['alpha'], removed: [] })
        expect(found.replaced.map(({ base, why }) => `${base}: ${why}`)).to.deep.equal([
          `${other.srcinfo.base}: its packages come from another source, which could not be read`,
        ])
      }
    }
    const prefer = new Map([['alpha', mine]])
    expect(plan([recipe('alpha', foreign)], { prefer, unread: [{ url: mine }] }).steps).to.deep.equal([])
    expect(toBuild(plan([recipe('alpha', foreign)], { prefer }))).to.deep.equal(['alpha'])
    expect(plan([recipe('alpha', foreign)], { before }).replaced).to.deep.equal([])
  })

  it('refuses to be asked for a recipe that there is not', () => {
    expect(() => plan([recipe('firefox')], { asked: new Set(['firefix']) }))
      .to.throw()
      .with.property('code', 'RECIPE_UNKNOWN')
  })

  it('tells the version that a new one has to rise above: the highest of any of its packages', () => {
    const before = allBuilt([
      recipe('old', { version: '3-1', packages: [{ name: 'moved' }] }),
      recipe('new', { version: '2-1' }),
    ])
    const [step] = plan([recipe('new', { packages: [{ name: 'new' }, { name: 'moved' }] })], { before }).steps
    expect(step).to.include({ base: 'new', previous: '3-1' })
  })
})
