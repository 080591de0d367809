import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readIndex } from '../../src/gentoo/package-directory.js'
import { runDirectory } from '../../src/gentoo/run-directory.js'
import { dropStaleSalvage, noteRepos, salvagePackages } from '../../src/gentoo/salvage.js'
import { findFiles } from '../../src/system/glob.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

const index = `TIMESTAMP: 1

CPV: a/b-1
PATH: a/b/b-1-1.gpkg.tar
SIZE: 3

CPV: a/torn-1
PATH: a/torn/torn-1-1.gpkg.tar
SIZE: 3

CPV: a/outside-1
PATH: ../../outside.gpkg.tar
SIZE: 3
`

describe('what a failed run finished', () => {
  const directory = temporaryDirectory()
  const finished = () => join(directory(), 'finished')
  const run = () => runDirectory(join(directory(), 'run'))
  const repo = () => join(directory(), 'gentoo')
  const inputs = () => ({
    repos: [{ name: 'gentoo', directory: repo() }],
    etcPortage: run().etcPortage,
  })

  beforeEach(() => {
    writeFiles(repo(), {
      'a/b/b-1.ebuild': 'EAPI=8',
      'a/b/files/fix.patch': '-x',
      'metadata/md5-cache/a/b-1': '_eclasses_=e 1',
      'a/other/other-1.ebuild': 'EAPI=8',
    })
    writeFiles(run().top, {
      'container/binpkgs/a/b/b-1-1.gpkg.tar': 'one',
      'container/binpkgs/a/torn/torn-1-1.gpkg.tar': 'on',
      'container/binpkgs/a/unknown/unknown-1-1.gpkg.tar': 'one',
      'container/binpkgs/Packages': index,
      'tree/etc-portage/make.conf': 'CFLAGS="-O2"',
      'tree/etc-portage/package.use': '',
      '../outside.gpkg.tar': 'one',
    })
    noteRepos(run(), inputs().repos)
  })

  it('is kept, but nothing that is torn, unknown or outside', () => {
    expect(salvagePackages(run(), finished())).to.deep.equal(['a/b/b-1-1.gpkg.tar'])
    expect(findFiles(finished(), '**')).to.deep.equal(['Packages', 'a/b/b-1-1.gpkg.tar', 'salvaged.json'])
    expect(readIndex(finished()).stanzas.map((stanza) => stanza.get('CPV'))).to.deep.equal(['a/b-1'])
    expect(existsSync(join(directory(), 'outside.gpkg.tar'))).to.equal(true)
  })

  for (const [change, files] of Object.entries({
    'another ebuild': { 'gentoo/a/other/other-1.ebuild': 'EAPI=7' },
    'the choice of packages': { 'run/tree/etc-portage/package.use': 'a/c flag' },
  })) {
    it(`is used again after a change of ${change}`, () => {
      salvagePackages(run(), finished())
      writeFiles(directory(), files)
      expect(dropStaleSalvage(finished(), inputs())).to.deep.equal([])
    })
  }

  for (const [change, files] of Object.entries({
    'its ebuild': { 'gentoo/a/b/b-1.ebuild': 'EAPI=7' },
    'its patches': { 'gentoo/a/b/files/fix.patch': '-y' },
    'an eclass it inherits': { 'gentoo/metadata/md5-cache/a/b-1': '_eclasses_=e 2' },
    'the environment that the profile gives single packages': { 'run/tree/etc-portage/package.env': 'a/b debug' },
    'compiler flags': { 'run/tree/etc-portage/make.conf': 'CFLAGS="-O3"' },
  })) {
    it(`is built again after a change of ${change}`, () => {
      salvagePackages(run(), finished())
      writeFiles(directory(), files)
      expect(dropStaleSalvage(finished(), inputs())).to.deep.equal(['a/b/b-1-1.gpkg.tar'])
      expect(existsSync(join(finished(), 'a/b/b-1-1.gpkg.tar'))).to.equal(false)
      expect(readIndex(finished()).stanzas).to.deep.equal([])
    })
  }
})
