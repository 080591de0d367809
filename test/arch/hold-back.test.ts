import { expect } from 'chai'
import { acceptPackages } from '../../src/arch/accept.js'
import { holdBack } from '../../src/arch/hold-back.js'
import type { PackageRecord } from '../../src/model/pacman-package.js'
import { TreeswapError } from '../../src/model/errors.js'

function record(name: string, version: string, more: Partial<PackageRecord> = {}, base = name): PackageRecord {
  const none = { groups: [], licenses: [], replaces: [], conflicts: [], provides: [], depends: [], optDepends: [] }
  const info = { name, base, version, architecture: 'any', buildDate: 0, installedSize: 0, ...none }
  return { info: { ...info, makeDepends: [], checkDepends: [] }, files: [], libraries: [], needs: [], ...more }
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
