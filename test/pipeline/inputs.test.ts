import { expect } from 'chai'
import { sameInputs } from '../../src/pipeline/inputs.js'
import type { Build } from '../../src/model/build.js'

const build = (...inputs: Build['inputs']) => ({ inputs }) as Build

describe('inputs of a build', () => {
  it('are the same when their fingerprints are, whatever the commits and numbers', () => {
    const before = build({ name: 'gentoo', number: 1, commit: 'a', fingerprint: 'x' })
    expect(sameInputs(before, [{ name: 'gentoo', number: 2, commit: 'b', fingerprint: 'x' }])).to.equal(true)
  })

  it('differ when one changed, came, went or has no fingerprint', () => {
    const before = build({ name: 'gentoo', fingerprint: 'x' }, { name: 'profile', fingerprint: 'y' })
    const gentoo = { name: 'gentoo', fingerprint: 'x' }
    expect(sameInputs(before, [gentoo, { name: 'profile', fingerprint: 'z' }])).to.equal(false)
    expect(sameInputs(before, [gentoo])).to.equal(false)
    expect(sameInputs(before, [gentoo, { name: 'profile', fingerprint: 'y' }, gentoo])).to.equal(true)
    expect(sameInputs(before, [gentoo, { name: 'options', fingerprint: 'y' }])).to.equal(false)
    expect(sameInputs(build({ name: 'gentoo' }), [{ name: 'gentoo' }])).to.equal(false)
  })
})
