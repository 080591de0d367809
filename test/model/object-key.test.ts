import { expect } from 'chai'
import { modeOf, objectKey, objectMtime, sha256Of } from '../../src/model/object-key.js'
import { sha256 } from '../../src/system/hash.js'

describe('the name of an object', () => {
  const hash = sha256('content')

  it('tells content and mode', () => {
    expect(sha256Of(objectKey(hash, true))).to.equal(hash)
    expect([modeOf(objectKey(hash, true)), modeOf(objectKey(hash, false))]).to.deep.equal([0o755, 0o644])
  })

  it('gives two contents two times, always in the past', () => {
    const times = Array.from({ length: 1000 }, (_, index) => objectMtime(objectKey(sha256(String(index)), false)))
    expect(new Set(times).size).to.equal(1000)
    expect(Math.min(...times)).to.be.at.least(Date.UTC(2001, 0, 1) / 1000)
    expect(Math.max(...times)).to.be.below(Date.UTC(2019, 0, 1) / 1000)
  })
})
