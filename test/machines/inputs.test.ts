import { expect } from 'chai'
import type { MachineConfig } from '../../src/config/config.js'
import { machineInputs, sameInputs } from '../../src/machines/inputs.js'
import type { ChosenSnapshot } from '../../src/machines/repo-snapshots.js'
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

  it('tell an ebuild repo called profile or options from those of the machine', () => {
    const before = build(...inputsOf(['profile', 'options']))
    expect(new Set(before.inputs.map(({ name }) => name)).size).to.equal(4)
    for (const name of ['profile', 'options']) {
      expect(sameInputs(before, inputsOf(['profile', 'options'], { changed: name }))).to.equal(false)
    }
    expect(sameInputs(before, inputsOf(['profile', 'options']))).to.equal(true)
  })

  it('differ when the order of the repos or the main one does', () => {
    const before = build(...inputsOf(['a', 'b']))
    expect(sameInputs(before, inputsOf(['b', 'a'], { mainRepo: 'a' }))).to.equal(false)
    expect(sameInputs(before, inputsOf(['a', 'b'], { mainRepo: 'b' }))).to.equal(false)
  })
})

function inputsOf(repos: string[], { changed = '', mainRepo = repos[0] } = {}): Build['inputs'] {
  const snapshots = repos.map((name) => {
    const place = { number: 1, pack: { sha256: name === changed ? 'new' : 'old' } }
    return { name, build: build(), place } as unknown as ChosenSnapshot
  })
  return machineInputs({ repos, mainRepo } as MachineConfig, snapshots, { fingerprint: 'x' })
}
