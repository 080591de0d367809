import { expect } from 'chai'
import fc from 'fast-check'
import { acyclic, dependantsOf, plan, recipe } from './planned.js'

function needs(recipes: Parameters<typeof plan>[0], base: string) {
  return plan(recipes).steps.find((step) => step.base === base)?.needs
}

describe('what recipes need of each other', () => {
  it('is found by name before it is found among what is provided', () => {
    const provider = recipe('a-foo-git', { packages: [{ name: 'a-foo-git', provides: ['foo=1'] }] })
    expect(needs([provider, recipe('foo'), recipe('app', { depends: ['foo'] })], 'app')).to.deep.equal(['foo'])
    expect(needs([provider, recipe('app', { depends: ['foo'] })], 'app')).to.deep.equal(['a-foo-git'])
  })

  it('is another package that provides it where the one of that name has the wrong version', () => {
    const provider = recipe('foo2', { packages: [{ name: 'foo2', provides: ['foo=2'] }] })
    expect(needs([provider, recipe('foo'), recipe('app', { depends: ['foo>=2'] })], 'app')).to.deep.equal(['foo2'])
  })

  it('is still the package of that name where nothing has the version: it may be known only when it is built', () => {
    const app = recipe('app', { depends: ['foo>=2'] })
    expect(needs([recipe('foo'), app], 'app')).to.deep.equal(['foo'])
    expect(plan([recipe('foo'), app]).unresolved.size).to.equal(0)
  })

  it('can be a library', () => {
    const lib = recipe('lib', { packages: [{ name: 'lib', provides: ['libfoo.so'] }] })
    expect(needs([lib, recipe('app', { depends: ['libfoo.so'] })], 'app')).to.deep.equal(['lib'])
  })

  it('includes what the needed packages need when they are installed, through siblings as well', () => {
    const data = recipe('data')
    const split = recipe('split', {
      packages: [
        { name: 'split', depends: ['split-libs'] },
        { name: 'split-libs', depends: ['data'] },
      ],
    })
    const app = recipe('app', { makeDepends: ['split'] })
    expect(needs([app, split, data], 'app')).to.deep.equal(['data', 'split'])
    expect(plan([split, data]).steps.map(({ wants }) => wants)).to.deep.equal([[], ['data']])
  })

  it('is no cycle where packages need each other only when they are installed, and that is told apart', () => {
    const one = recipe('one', { packages: [{ name: 'one', depends: ['two'] }] })
    const two = recipe('two', { packages: [{ name: 'two', depends: ['one'] }] })
    const { steps } = plan([one, two, recipe('app', { makeDepends: ['one'] })])
    expect(steps.map(({ base, needs, wants, uses }) => ({ base, needs, wants, uses }))).to.deep.equal([
      { base: 'one', needs: [], wants: ['two'], uses: [] },
      { base: 'two', needs: [], wants: ['one'], uses: [] },
      { base: 'app', needs: ['one', 'two'], wants: [], uses: ['one'] },
    ])
  })

  it('does not include the recipe itself', () => {
    const compiler = recipe('compiler', {
      makeDepends: ['compiler', 'compiler-libs'],
      packages: [{ name: 'compiler' }, { name: 'compiler-libs' }],
    })
    expect(needs([compiler], 'compiler')).to.deep.equal([])
    expect(plan([compiler]).unresolved.size).to.equal(0)
  })

  it('that no recipe provides is returned with those that want it, each once', () => {
    const one = recipe('one', { depends: ['glibc', 'gone>=2'], makeDepends: ['cmake'] })
    const two = recipe('two', { checkDepends: ['cmake'], packages: [{ name: 'two', depends: ['run'] }] })
    expect([...plan([two, one]).unresolved]).to.deep.equal([
      ['cmake', ['one', 'two']],
      ['glibc', ['one']],
      ['gone>=2', ['one']],
      ['run', ['two']],
    ])
  })

  it('is refused where it is a cycle, with the path', () => {
    const recipes = [
      recipe('a', { makeDepends: ['b'] }),
      recipe('b', { depends: ['c-libs'] }),
      recipe('c', { checkDepends: ['a'], packages: [{ name: 'c' }, { name: 'c-libs' }] }),
      recipe('d', { depends: ['a'] }),
      recipe('free'),
    ]
    expect(() => plan(recipes))
      .to.throw(/: a → b → c → a$/)
      .with.property('code', 'RECIPES_CYCLIC')
  })

  it('is refused where what a recipe is built with needs that recipe when it is installed', () => {
    const tool = recipe('tool', { packages: [{ name: 'tool', depends: ['lib'] }] })
    expect(() => plan([tool, recipe('lib', { makeDepends: ['tool'] })])).to.throw(/: lib → tool → lib$/)
    const split = recipe('tool', {
      packages: [
        { name: 'tool', depends: ['tool-libs'] },
        { name: 'tool-libs', depends: ['lib'] },
      ],
    })
    expect(() => plan([split, recipe('lib', { makeDepends: ['tool'] })])).to.throw(/: lib → tool → lib$/)
  })

  it('is a path from need to need wherever an edge closes a cycle', () => {
    const closed = acyclic.chain(({ recipes, edges }) => {
      const pairs = [...edges.keys()].flatMap((base) =>
        [...dependantsOf([base], edges)].map((high) => [base, high] as const),
      )
      return fc.record({
        recipes: fc.constant(recipes),
        edges: fc.constant(edges),
        pair: fc.constantFrom(...pairs, undefined),
      })
    })
    fc.assert(
      fc.property(closed, ({ recipes, edges, pair }) => {
        if (pair === undefined) return
        const [low, high] = pair
        edges = new Map([...edges, [low, new Set([...edges.get(low)!, high])]])
        const cyclic = recipes.map((one) =>
          one.srcinfo.base === low
            ? { ...one, srcinfo: { ...one.srcinfo, makeDepends: [...one.srcinfo.makeDepends, high] } }
            : one,
        )
        let message = ''
        try {
          plan(cyclic)
        } catch (error) {
          message = (error as Error).message
        }
        const path = message.replace(/^.*: /, '').split(' → ')
        expect(path.length, message).to.be.greaterThan(1)
        expect(path.at(-1)).to.equal(path[0])
        path.slice(1).forEach((need, index) => expect([...edges.get(path[index]!)!], message).to.include(need))
      }),
    )
  })
})
