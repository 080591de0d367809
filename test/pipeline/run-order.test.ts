import { expect } from 'chai'
import { mastersFirst } from '../../src/machines/repo-order.js'

describe('the order of ebuild repos', () => {
  const masters: Record<string, string[]> = { guru: ['gentoo'], own: ['guru', 'gentoo'], a: ['b'], b: ['a'] }
  const order = (...names: string[]) => mastersFirst(names, new Map(Object.entries(masters)))

  it('puts each after the repos it builds upon', () => {
    expect(order('own', 'guru', 'gentoo')).to.deep.equal(['gentoo', 'guru', 'own'])
  })

  it('ends for repos that name each other', () => {
    expect(order('a', 'b')).to.have.members(['a', 'b'])
  })

  it('leaves out what was not asked for', () => {
    expect(order('own')).to.deep.equal(['own'])
  })
})
