import { expect } from 'chai'
import { encodeBuild, parseBuild } from '../../src/model/build.js'
import type { Build } from '../../src/model/build.js'

const hash = '0'.repeat(64)
const build: Build = {
  schema: 1,
  kind: 'machine',
  name: 'database',
  number: 3,
  started: '2026-01-01T00:00:00.000Z',
  finished: '2026-01-01T00:10:00.000Z',
  base: 2,
  inputs: [{ name: 'gentoo', commit: 'abc', number: 7 }],
  tools: { treeswap: '0.1.0' },
  packs: [
    {
      name: 'packages',
      role: 'packages',
      file: 'packages.tar',
      size: 10,
      sha256: hash,
      manifest: { file: 'packages.manifest.zst', size: 5, sha256: hash },
    },
  ],
}

describe('a build record', () => {
  it('is read as it was written', () => {
    expect(parseBuild(encodeBuild(build), 'build.json')).to.deep.equal(build)
  })

  it('of a newer treeswap is refused with the way out', () => {
    expect(() => parseBuild(JSON.stringify({ schema: 2 }), 'x'))
      .to.throw()
      .with.property('code', 'BUILD_TOO_NEW')
  })

  for (const [what, change] of Object.entries({
    'a file name that leaves its directory': { packs: [{ ...build.packs[0], file: '../packages.tar' }] },
    'a key that nobody knows': { extra: true },
    'no packs': { packs: [] },
    'a number that is none': { number: 0 },
  })) {
    it(`with ${what} is refused`, () => {
      expect(() => parseBuild(JSON.stringify({ ...build, ...change }), 'database/3/build.json'))
        .to.throw(/database\/3\/build\.json/)
        .with.property('code', 'BUILD_INVALID')
    })
  }
})
