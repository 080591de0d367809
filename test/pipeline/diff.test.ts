import { expect } from 'chai'
import { comparePackages } from '../../src/pipeline/diff.js'

function stanza(cpv: string, fields: Record<string, string> = {}): Map<string, string> {
  return new Map(Object.entries({ CPV: cpv, BUILD_ID: '1', BUILD_TIME: '100', SIZE: '10', ...fields }))
}

describe('comparePackages', () => {
  it('tells added, removed, upgraded, downgraded and rebuilt packages apart', () => {
    const before = [
      stanza('dev-libs/gone-1.0'),
      stanza('dev-libs/up-1.9'),
      stanza('dev-libs/down-2.0-r1'),
      stanza('dev-libs/same-1'),
      stanza('dev-libs/again-1'),
    ]
    const after = [
      stanza('dev-libs/new-lib-3'),
      stanza('dev-libs/up-1.10'),
      stanza('dev-libs/down-2.0'),
      stanza('dev-libs/same-1'),
      stanza('dev-libs/again-1', { BUILD_ID: '2', BUILD_TIME: '200' }),
    ]
    expect(comparePackages(before, after)).to.deep.equal({
      added: [{ package: 'dev-libs/new-lib', slot: '0', version: '3' }],
      removed: [{ package: 'dev-libs/gone', slot: '0', version: '1.0' }],
      upgraded: [{ package: 'dev-libs/up', slot: '0', from: '1.9', to: '1.10' }],
      downgraded: [{ package: 'dev-libs/down', slot: '0', from: '2.0-r1', to: '2.0' }],
      rebuilt: [{ package: 'dev-libs/again', slot: '0', version: '1' }],
    })
  })

  it('takes slots for packages of their own', () => {
    const before = [stanza('dev-lang/python-3.11.4', { SLOT: '3.11' })]
    const after = [
      stanza('dev-lang/python-3.11.5', { SLOT: '3.11/3.11' }),
      stanza('dev-lang/python-3.12.1', { SLOT: '3.12' }),
    ]
    const { upgraded, added, removed } = comparePackages(before, after)
    expect(upgraded).to.deep.equal([{ package: 'dev-lang/python', slot: '3.11', from: '3.11.4', to: '3.11.5' }])
    expect(added).to.deep.equal([{ package: 'dev-lang/python', slot: '3.12', version: '3.12.1' }])
    expect(removed).to.deep.equal([])
  })

  it('sees that only the bytes of a package differ', () => {
    const { rebuilt } = comparePackages([stanza('a/b-1', { SHA1: 'x' })], [stanza('a/b-1', { SHA1: 'y' })])
    expect(rebuilt).to.have.length(1)
  })

  it('sees that a second build of a version was added', () => {
    const both = [stanza('a/b-1'), stanza('a/b-1', { BUILD_ID: '2' })]
    expect(comparePackages([stanza('a/b-1')], both).rebuilt).to.have.length(1)
    expect(comparePackages(both, both.toReversed()).rebuilt).to.deep.equal([])
  })
})
