import { expect } from 'chai'
import fc from 'fast-check'
import { afterFailure, ready, stillNeeded } from '../../src/arch/plan-schedule.js'
import { acyclic, allBuilt, dependantsOf, plan, recipe, toBuild } from './planned.js'

const other = 'b'.repeat(64)

/** A graph, of which some recipes changed since everything was built. */
const changed = acyclic.chain(({ recipes, edges }) =>
  fc.record({
    recipes: fc.constant(recipes),
    edges: fc.constant(edges),
    changed: fc.subarray([...edges.keys()], { minLength: 1 }),
    failing: fc.subarray([...edges.keys()]),
  }),
)

function planOf({ recipes, changed }: { recipes: ReturnType<typeof recipe>[]; changed: string[] }) {
  const now = recipes.map((one) => (changed.includes(one.srcinfo.base) ? { ...one, fingerprint: other } : one))
  return plan(now, { before: allBuilt(recipes) })
}

describe('a run through a plan', () => {
  it('skips exactly those to be built that lead to a failure', () => {
    fc.assert(
      fc.property(changed, (graph) => {
        const made = planOf(graph)
        const building = toBuild(made)
        const failed = graph.failing.filter((base) => building.includes(base))
        const expected = [...dependantsOf(failed, graph.edges)].filter((base) => building.includes(base))
        expect(afterFailure(made, failed).sort()).to.deep.equal(expected.sort())
      }),
    )
  })

  it('leaves out those that are kept, though what they need failed', () => {
    const tool = recipe('tool', { packages: [{ name: 'tool', depends: ['data'] }] })
    const recipes = [recipe('data'), tool, recipe('app', { makeDepends: ['tool'] })]
    const made = plan(recipes, { before: allBuilt(recipes), asked: new Set(['data']) })
    expect(made.steps.find(({ base }) => base === 'app')?.needs).to.deep.equal(['data', 'tool'])
    expect(afterFailure(made, ['data'])).to.deep.equal([])
  })

  it('builds everything once in whatever order builds end, but what failed and what leads there', () => {
    fc.assert(
      fc.property(changed, fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (graph, choices) => {
        const made = planOf(graph)
        const [done, begun, running] = [new Set<string>(), new Set<string>(), [] as string[]]
        for (;;) {
          for (const { base, needs } of ready(made, done, begun)) {
            const waiting = needs.filter((need) => toBuild(made).includes(need) && !done.has(need))
            expect(waiting, base).to.deep.equal([])
            expect(begun.has(base)).to.equal(false)
            begun.add(base)
            running.push(base)
          }
          if (running.length === 0) break
          const [ended] = running.splice((choices.pop() ?? 0) % running.length, 1)
          if (!graph.failing.includes(ended!)) done.add(ended!)
        }
        const failed = [...begun].filter((base) => !done.has(base))
        expect([...begun, ...afterFailure(made, failed)].sort()).to.deep.equal(toBuild(made).sort())
      }),
    )
  })

  it('drops what only follows, where what it is built with has the versions of before', () => {
    const recipes = [recipe('lib'), recipe('app', { depends: ['lib'] })]
    const [lib, app] = plan(recipes, { before: allBuilt(recipes), asked: new Set(['lib']) }).steps
    expect(stillNeeded(lib!, new Map([['lib', '1-1']]))).to.equal(true)
    expect(stillNeeded(app!, new Map([['lib', '1-1']]))).to.equal(false)
    expect(stillNeeded(app!, new Map([['lib', '1-1.1']]))).to.equal(true)
    expect(stillNeeded(app!, new Map())).to.equal(true)
    const before = allBuilt(recipes, { app: { dependencies: new Map() } })
    const [, unlike] = plan(recipes, { before, asked: new Set(['lib']) }).steps
    expect(unlike!.follows).to.equal(true)
    expect(stillNeeded(unlike!, new Map())).to.equal(true)
  })

  it('does not drop what has a reason of its own, and builds nothing that is kept', () => {
    const recipes = [recipe('lib'), recipe('app', { depends: ['lib'] }), recipe('free')]
    const before = allBuilt(recipes)
    const [free, , app] = plan(recipes, { before, asked: new Set(['lib', 'app']) }).steps
    expect(app!.base).to.equal('app')
    expect(stillNeeded(app!, new Map([['lib', '1-1']]))).to.equal(true)
    expect(stillNeeded(free!, new Map())).to.equal(false)
  })
})
