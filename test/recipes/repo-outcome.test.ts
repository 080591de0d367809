import { expect } from 'chai'
import { oncePerRecipe } from '../../src/recipes/repo-outcome.js'

describe('what became of recipes', () => {
  it('is told once for each name, and what failed before the rest', () => {
    const failed = { base: 'foo', status: 'failed' as const, code: 'GIT_FAILED', reason: 'it is away', hint: 'wait' }
    const other = { base: 'bar', status: 'built' as const, version: '2.0-1' }
    expect(oncePerRecipe([{ base: 'foo', status: 'built', version: '1.0-1' }, other, failed])).to.deep.equal([
      { ...failed, reason: 'it is away; another one of this name: built 1.0-1' },
      other,
    ])
    expect(oncePerRecipe([failed, { ...failed, reason: 'it is odd' }])).to.deep.equal([
      { ...failed, reason: 'it is away; another one of this name: it is odd' },
    ])
    expect(oncePerRecipe([failed, failed])).to.deep.equal([failed])
    expect(oncePerRecipe([])).to.deep.equal([])
  })
})
