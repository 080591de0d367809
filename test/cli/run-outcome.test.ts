import { expect } from 'chai'
import { describeRun } from '../../src/cli/run-outcome.js'
import type { MachineOutcome } from '../../src/pipeline/run-machine.js'

describe('what a run tells of a machine', () => {
  const told = (outcome: Omit<MachineOutcome, 'name' | 'number'>) =>
    describeRun({ repos: [], pacman: [], machines: [{ name: 'box', number: 3, ...outcome }] }).text
  const build = { output: '/x', compiled: ['a/b-1'], reused: [], removed: [], bytes: 2048 }
  const publication = { build: 3, serial: 7, pulledBytes: 1024 }

  it('is which build clients are served, where that is another than the last', () => {
    expect(told({ status: 'unchanged', published: 2 })).to.equal('box@3: unchanged (box@2 is published)')
    expect(told({ status: 'unchanged', published: 3 })).to.equal('box@3: unchanged')
    expect(told({ status: 'unchanged' })).to.equal('box@3: unchanged')
  })

  it('is said once for everything that was done', () => {
    expect(told({ status: 'published', publication })).to.equal('box@3: published as generation 7, 1.0 KiB pulled')
    expect(told({ status: 'published', publication: { ...publication, build: 2 } })).to.match(
      /^box@3: box@2 signed anew as generation 7/,
    )
    expect(told({ status: 'built', build, publication })).to.equal(
      'box@3: built and published as generation 7, 1 package compiled, 0 reused, artifact 2.0 KiB, 1.0 KiB pulled',
    )
    expect(told({ status: 'built', build })).to.match(/^box@3: built, 1 package compiled/)
  })
})
