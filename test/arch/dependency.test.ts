import { expect } from 'chai'
import fc from 'fast-check'
import { parseDependency, satisfies } from '../../src/arch/dependency.js'

function met(wanted: string, provides: string[] = [], version = '1.2-3', name = 'foo'): boolean {
  const dependency = parseDependency(wanted)
  if (dependency === undefined) throw new Error(`${wanted} is no dependency`)
  return satisfies({ name, version, provides }, dependency)
}

describe('dependencies of pacman packages', () => {
  it('are a name, or a name with an operator and a version', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('foo', 'gtk+', 'lib32-glibc', 'libfoo.so', 'lib:libfoo.so.6', '@x', '7zip', 'java-runtime'),
        fc.constantFrom('<', '<=', '=', '>=', '>'),
        fc.constantFrom('1', '1:2.0-1.1', '1-64', '2.0~rc_1+r5'),
        (name, operator, version) => {
          expect(parseDependency(name)).to.deep.equal({ name, wanted: undefined })
          expect(parseDependency(name + operator + version)).to.deep.equal({ name, wanted: { operator, version } })
        },
      ),
    )
  })

  for (const text of [
    '',
    '-x',
    '.x',
    'a b',
    'a>',
    'a>=',
    'a==1',
    'a=>1',
    'a=1/2',
    'a/b',
    'a=$(x)',
    'a: text',
    '>=1',
    'a=1\n',
    'ä',
  ]) {
    it(`are not ${JSON.stringify(text)}`, () => expect(parseDependency(text)).to.equal(undefined))
  }

  const cases: [string, boolean][] = [
    ['foo', true],
    ['fo', false],
    ['foo=1.2', true],
    ['foo=1.2-3', true],
    ['foo=1.2-2', false],
    ['foo>1.2', false],
    ['foo>1.2-2', true],
    ['foo>=1.2', true],
    ['foo<1.10', true],
    ['foo<1.2-3', false],
    ['foo<=1.2-3', true],
    ['foo<1:0', true],
  ]
  for (const [wanted, expected] of cases) {
    it(`${wanted} is ${expected ? '' : 'not '}met by foo 1.2-3`, () => expect(met(wanted)).to.equal(expected))
  }

  it('are met by what is provided, in the version in which it is provided', () => {
    expect(met('bar', ['bar'])).to.equal(true)
    expect(met('bar>=2', ['bar=2'])).to.equal(true)
    expect(met('bar>=3', ['bar=2'])).to.equal(false)
  })

  it('on a version are not met by what is provided without one', () => {
    expect(met('bar>=1', ['bar'])).to.equal(false)
    expect(met('bar>=1', ['bar>=1'])).to.equal(false)
  })

  it('are met by a provision where the package itself has the wrong version', () => {
    expect(met('foo>=2', ['foo=2'])).to.equal(true)
  })

  it('on a library are met by its soname and ELF class', () => {
    expect(met('libfoo.so=1-64', ['libfoo.so=1-64'])).to.equal(true)
    expect(met('libfoo.so=1-64', ['libfoo.so=1-32'])).to.equal(false)
    expect(met('libfoo.so=1-64', ['libfoo.so=2-64'])).to.equal(false)
    expect(met('libfoo.so', ['libfoo.so=2-64'])).to.equal(true)
  })
})
