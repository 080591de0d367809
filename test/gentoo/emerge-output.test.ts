import { expect } from 'chai'
import { followEmerge, newEvents } from '../../src/gentoo/emerge-output.js'
import type { EmergeEvents } from '../../src/gentoo/emerge-output.js'

function read(output: string): EmergeEvents {
  const events = newEvents()
  output.split('\n').forEach(followEmerge(events))
  return events
}

describe("emerge's output", () => {
  it('tells compiled packages from those taken from a binary package, also when jobs interleave', () => {
    const events = read(`>>> Verifying ebuild manifests
>>> Emerging (1 of 3) app-misc/a-1.0::gentoo
>>> Emerging binary (2 of 3) app-misc/b-1.0-r1::gentoo
>>> Jobs: 0 of 3 complete, 2 running                                    Load avg: 0.19, 0.11, 0.09
>>> Installing (2 of 3) app-misc/b-1.0-r1::gentoo
>>> Completed (2 of 3) app-misc/b-1.0-r1::gentoo
>>> Installing (1 of 3) app-misc/a-1.0::gentoo
>>> Completed (1 of 3) app-misc/a-1.0::gentoo
>>> Emerging (3 of 3) app-misc/c-2::overlay`)
    expect(events.compiled).to.deep.equal(['app-misc/a-1.0'])
    expect(events.fromBinary).to.deep.equal(['app-misc/b-1.0-r1'])
    expect(events.position).to.deep.equal({ done: 1, total: 3 })
    expect([...events.failed]).to.deep.equal([])
  })

  it('names every package that failed, once', () => {
    const events = read(`>>> Emerging (1 of 1) app-misc/c-1.0::gentoo
>>> Failed to emerge app-misc/c-1.0, Log file:
>>>  '/var/log/treeswap/app-misc:c-1.0:20261121-111014.log'
 * ERROR: app-misc/c-1.0::gentoo failed (compile phase):
 * ERROR: app-misc/d-1.0::gentoo failed (install phase):`)
    expect([...events.failed]).to.deep.equal(['app-misc/c-1.0', 'app-misc/d-1.0'])
    expect(events.compiled).to.deep.equal([])
  })
})
