import { expect } from 'chai'
import { sourceDateOf } from '../../src/recipes/source-date.js'

describe('the time that a recipe is built at', () => {
  const found = { content: 'a'.repeat(40), commitTime: 2000, release: undefined }
  const record = { time: { content: found.content, seconds: 1000 } }

  it('stays while its files are what they were', () => {
    expect(sourceDateOf(found, record)).to.equal(1000)
  })

  it('is that of the commit where its files are new, or nobody knows since when they are so', () => {
    expect(sourceDateOf({ ...found, content: 'b'.repeat(40) }, record)).to.equal(2000)
    expect(sourceDateOf(found, {})).to.equal(2000)
    expect(sourceDateOf(found, undefined)).to.equal(2000)
  })

  it('is that of a tag’s commit, though its recipe is the same', () => {
    expect(sourceDateOf({ ...found, release: { tag: 'v2', version: '2' } }, record)).to.equal(2000)
  })
})
