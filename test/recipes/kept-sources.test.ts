import { expect } from 'chai'
import { keptSources } from '../../src/recipes/kept-sources.js'

describe('sources that are kept from one build to the next', () => {
  const release = { tag: 'v1.0', version: '1.0' }
  const first = 'a'.repeat(40)
  const second = 'b'.repeat(40)

  it('are those of one commit where a tag names them: it may be moved', () => {
    expect(keptSources('tool', { release, commit: first })).to.equal(keptSources('tool', { release, commit: first }))
    expect(keptSources('tool', { release, commit: first })).not.to.equal(
      keptSources('tool', { release, commit: second }),
    )
  })

  it('stay with the recipe where it has checksums of its own', () => {
    const of = (commit: string): string => keptSources('tool', { release: undefined, commit })
    expect(of(first)).to.equal(of(second))
  })
})
