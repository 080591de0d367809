import { expect } from 'chai'
import { plan, recipe, SOURCE, toBuild } from './planned.js'

const PROGRAM = 'https://git.example.org/ins.git'

describe('recipes of several sources', () => {
  const twice = [recipe('ins'), recipe('ins', { source: PROGRAM, version: '2-1' })]

  it('are refused where both make one package, and both sources are named', () => {
    expect(() => plan(twice))
      .to.throw(/ins has a recipe in more than one source.*ins\.git.*packages\.git/)
      .with.property('code', 'PACKAGE_TWICE')
  })

  it('are refused where the preferred one is none of them', () => {
    expect(() => plan(twice, { prefer: new Map([['ins', 'https://else.example.org/x.git']]) })).to.throw(
      /more than one source/,
    )
  })

  it('are taken from the preferred source; the other one is left out and named', () => {
    for (const [preferred, left] of [
      [PROGRAM, SOURCE],
      [SOURCE, PROGRAM],
    ] as const) {
      const made = plan(twice, { prefer: new Map([['ins', preferred]]) })
      expect(toBuild(made)).to.deep.equal(['ins'])
      expect(made.replaced).to.deep.equal([{ base: 'ins', source: left, why: 'another source is preferred' }])
    }
  })

  it('leave out a split recipe as a whole where all its packages come from elsewhere', () => {
    const split = recipe('split', { packages: [{ name: 'a' }, { name: 'b' }] })
    const recipes = [split, recipe('a', { source: PROGRAM }), recipe('b', { source: PROGRAM })]
    const made = plan(recipes, {
      prefer: new Map([
        ['a', PROGRAM],
        ['b', PROGRAM],
      ]),
    })
    expect(toBuild(made)).to.deep.equal(['a', 'b'])
    expect(made.replaced).to.deep.equal([{ base: 'split', source: SOURCE, why: 'another source is preferred' }])
  })

  it('are refused where only some packages of a recipe would be left, and it is named', () => {
    const recipes = [recipe('split', { packages: [{ name: 'a' }, { name: 'b' }] }), recipe('a', { source: PROGRAM })]
    expect(() => plan(recipes, { prefer: new Map([['a', PROGRAM]]) }))
      .to.throw(/^a of the recipe split in .*packages\.git is to come from .*ins\.git, but b /)
      .with.property('code', 'PACKAGE_TWICE')
  })

  it('are refused where one source has two for a package: no preference could tell them apart', () => {
    const recipes = [recipe('one', { packages: [{ name: 'a' }] }), recipe('two', { packages: [{ name: 'a' }] })]
    for (const prefer of [new Map<string, string>(), new Map([['a', SOURCE]])]) {
      expect(() => plan(recipes, { prefer }))
        .to.throw(/a has several recipes in .*: one, two$/)
        .with.property('code', 'PACKAGE_TWICE')
    }
  })

  it('are refused where two have one pkgbase', () => {
    const recipes = [
      recipe('x', { packages: [{ name: 'a' }] }),
      recipe('x', { source: PROGRAM, packages: [{ name: 'b' }] }),
    ]
    expect(() => plan(recipes))
      .to.throw(/two recipes have the pkgbase x/)
      .with.property('code', 'PACKAGE_TWICE')
  })
})
