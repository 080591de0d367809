import { expect } from 'chai'
import { encodeBuild, parseBuild } from '../../src/model/build.js'
import type { Build, Pack } from '../../src/model/build.js'

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

  it('of an ebuild repo has that repo alone', () => {
    const own: Build = { ...build, kind: 'ebuild-repo', name: 'gentoo', packs: [repo('gentoo')] }
    expect(parseBuild(encodeBuild(own), 'x')).to.deep.equal(own)
    for (const packs of [[repo('guru')], [repo('gentoo'), repo('guru')], build.packs]) {
      expect(() => parseBuild(encodeBuild({ ...own, packs }), 'x'))
        .to.throw()
        .with.property('code', 'BUILD_INVALID')
    }
  })

  const [packages] = build.packs as [Pack]
  const log = { file: 'build.log.zst', size: 1, sha256: hash }
  for (const [what, change] of Object.entries({
    'two packs of one name': { packs: [repo('gentoo'), { ...repo('gentoo'), ...log, manifest: packages.manifest }] },
    'two packs of one role': { packs: [packages, { ...repo('gentoo'), role: 'packages' }] },
    'a pack whose name is the role of another': { packs: [{ ...packages, role: 'etc-portage' }] },
    'an ebuild repo called like a part': { packs: [{ ...packages, role: 'ebuild-repo' }] },
    'an ebuild repo whose name is no name': { packs: [repo('guru.git')] },
    'one file for two packs': { packs: [packages, { ...repo('gentoo'), file: packages.file }] },
    'one file for pack and manifest': { packs: [{ ...packages, file: packages.manifest.file }] },
    'a log that is the record itself': { log: { ...log, file: 'build.json' } },
    'a log that is a pack': { log: { ...log, file: packages.file } },
    'a name that leads out': { name: '../database' },
    'a base that is no earlier build': { base: 3 },
    'a commit of the year 20000': { inputs: [{ name: 'gentoo', commitTime: 568_971_820_800 }] },
    'a terminal escape in a version': { tools: { gcc: '\u001b[2J' } },
    'a terminal escape in the name of a tool': { tools: { '\u009b2J': '1' } },
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

function repo(name: string): Pack {
  const record = (file: string) => ({ file, size: 1, sha256: hash })
  return { name, role: 'ebuild-repo', ...record(`${name}.tar.zst`), manifest: record(`${name}.manifest.zst`) }
}
