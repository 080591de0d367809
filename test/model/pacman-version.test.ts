import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import fc from 'fast-check'
import { compareVersions, splitVersion } from '../../src/model/pacman-version.js'

/** What the real program says. */
function vercmp(a: string, b: string): number {
  return Number(execFileSync('vercmp', [a, b], { encoding: 'utf8' }))
}

const segment = fc.constantFrom(
  '0',
  '00',
  '1',
  '01',
  '2',
  '9',
  '10',
  '010',
  '99999999999999999999',
  'a',
  'b',
  'rc',
  'Z',
  '1a',
  'a1',
)
const separator = fc.constantFrom('', '.', '_', '+', '~', '^', '..', '._', '+~', '@')
const pkgver = fc
  .array(fc.tuple(segment, separator), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.flat().join(''))
const pkgrel = fc.constantFrom('', '-1', '-01', '-2', '-10', '-1.1', '-1.10', '-1.2', '-', '-a', '-1-1')
const epoch = fc.constantFrom('', '', '0:', '1:', '01:', '2:', '10:', ':', 'a:', '1:2:')
const version = fc
  .tuple(fc.constantFrom('', '', '', '.', '~'), epoch, pkgver, pkgrel)
  .map(([first, own, middle, last]) => own + first + middle + last)

/** Mostly alike: where versions differ at once, the rest is not looked at. */
const pair = fc.oneof(
  fc.tuple(version, version),
  fc
    .tuple(version, version)
    .chain(([a, b]) =>
      fc
        .tuple(fc.nat(a.length), fc.nat(b.length))
        .map(([at, from]): [string, string] => [a, a.slice(0, at) + b.slice(from)]),
    ),
  fc
    .tuple(pkgver, separator, separator, pkgver)
    .map(([a, one, two, b]): [string, string] => [a + one + b, a + two + b]),
  fc.tuple(pkgver, pkgrel, pkgrel).map(([a, one, two]): [string, string] => [a + one, a + two]),
)

describe('versions of pacman packages', () => {
  it('are ordered as vercmp orders them', function () {
    this.timeout(120_000)
    fc.assert(
      fc.property(pair, ([a, b]) => {
        fc.pre(!a.startsWith('-') && !b.startsWith('-'))
        expect(Math.sign(compareVersions(a, b)), `${a} beside ${b}`).to.equal(vercmp(a, b))
      }),
      { numRuns: 800 },
    )
  })

  it('are ordered the other way round from the other side', () => {
    fc.assert(fc.property(pair, ([a, b]) => Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a)) === 0))
  })

  const rising = [
    ['1.0rc1', '1.0'],
    ['1.0', '1.0.0'],
    ['1.9', '1.10'],
    ['1.0a', '1.0.1'],
    ['202105271846', '1:1.2'],
    ['1-1', '1-1.1'],
    ['1-2.9', '1-2.10'],
    ['1-1.99', '1-2'],
  ] as const
  for (const [older, newer] of rising) {
    it(`${older} is older than ${newer}`, () => {
      expect(compareVersions(older, newer)).to.be.lessThan(0)
      expect(compareVersions(newer, older)).to.be.greaterThan(0)
    })
  }

  it('count no pkgrel where one of them has none', () => {
    expect(compareVersions('1.0', '1.0-7')).to.equal(0)
  })

  it('are split at the epoch and at the last hyphen', () => {
    expect(splitVersion('2:1.0-3.1')).to.deep.equal({ epoch: '2', pkgver: '1.0', pkgrel: '3.1' })
    expect(splitVersion('1.0')).to.deep.equal({ epoch: '0', pkgver: '1.0', pkgrel: undefined })
  })
})
