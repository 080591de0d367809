import { expect } from 'chai'
import fc from 'fast-check'
import { bumpRelease, nextVersion } from '../../src/arch/pkgrel.js'
import { TreeswapError } from '../../src/model/errors.js'
import { compareVersions } from '../../src/model/pacman-version.js'

function refusal(recipe: string, previous: string): TreeswapError {
  try {
    nextVersion(recipe, previous, true)
  } catch (error) {
    if (error instanceof TreeswapError) return error
  }
  throw new Error('it was not refused')
}

describe('the version of a rebuild', () => {
  for (const [from, to] of [
    ['1', '1.1'],
    ['1.1', '1.2'],
    ['2.9', '2.10'],
    ['1.99', '1.100'],
    ['12', '12.1'],
  ] as const) {
    it(`has release ${to} after ${from}`, () => expect(bumpRelease(from)).to.equal(to))
  }

  it('is always higher, and lower than the next release that people give', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.integer({ min: 1, max: 30 }), (release, times) => {
        let last = String(release)
        for (let time = 0; time < times; time++) {
          const next = bumpRelease(last)
          expect(compareVersions(`1-${next}`, `1-${last}`)).to.be.greaterThan(0)
          last = next
        }
        expect(compareVersions(`1-${release + 1}`, `1-${last}`)).to.be.greaterThan(0)
      }),
    )
  })
})

describe('the version of the next build', () => {
  const cases: [string, string | undefined, string, string][] = [
    ['1.0-1', undefined, '1.0-1', 'the recipe says, where there is none before'],
    ['1.1-1', '1.0-5', '1.1-1', 'the recipe says, where it is higher'],
    ['1.0-2', '1.0-1.7', '1.0-2', 'the recipe says, where its release is higher than all rebuilds'],
    ['1.0-1.9', '1.0-1.7', '1.0-1.9', 'the recipe says, where it counts rebuilds itself'],
    ['1:0.1-1', '2024-1', '1:0.1-1', 'the recipe says, where its epoch is higher'],
    ['1.0-1', '1.0-1', '1.0-1.1', 'a rebuild has, where the recipe says the same'],
    ['1.0-1', '1.0-1.9', '1.0-1.10', 'the next rebuild has'],
    ['2:1.0-1', '2:1.0-1.1', '2:1.0-1.2', 'the next rebuild has, with its epoch'],
    ['1.01-1', '1.1-1', '1.01-1.1', 'a rebuild has, where the same version is spelled otherwise'],
  ]
  for (const [recipe, previous, next, what] of cases) {
    it(`is what ${what}`, () => expect(nextVersion(recipe, previous, true)).to.equal(next))
  }

  it('is that of the latest rebuild where nothing has to differ', () => {
    expect(nextVersion('1.0-1', '1.0-1.2', false)).to.equal('1.0-1.2')
    expect(nextVersion('1.1-1', '1.0-1.2', false)).to.equal('1.1-1')
  })

  it('always rises, or is refused with an epoch that makes it rise', () => {
    const part = fc.constantFrom('1', '2', '10', '1.1', '2.3')
    const version = fc
      .tuple(fc.constantFrom('', '1:', '3:'), part, part)
      .map(([epoch, pkgver, pkgrel]) => `${epoch}${pkgver}-${pkgrel}`)
    fc.assert(
      fc.property(version, version, (recipe, previous) => {
        try {
          expect(compareVersions(nextVersion(recipe, previous, true), previous)).to.be.greaterThan(0)
        } catch (error) {
          if (!(error instanceof TreeswapError)) throw error
          const epoch = /epoch=(\d+)/.exec(error.hint)?.[1]
          expect(compareVersions(`${epoch}:${recipe.replace(/^\d+:/, '')}`, previous)).to.be.greaterThan(0)
        }
      }),
    )
  })

  it('is refused where it would not rise, and the epoch above the last one is proposed', () => {
    const error = refusal('1.2-1', '202105271846-1')
    expect(error.code).to.equal('VERSION_NOT_RISING')
    expect(error.message).to.contain('1.2-1').and.contain('202105271846-1')
    expect(error.hint).to.contain('epoch=1 ')
    expect(refusal('4:1.2-1', '4:1.3-1').hint).to.contain('epoch=5 ')
    expect(refusal('1.0-1', '1.0-2').code).to.equal('VERSION_NOT_RISING')
  })

  it('is refused where an epoch was lost; that epoch is proposed where it is enough', () => {
    expect(refusal('1.3-1', '2:1.2-1').hint).to.contain('epoch=2 ')
  })
})
