import { expect } from 'chai'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keepPackages, lendPackages, prunePackages } from '../../src/gentoo/package-directory.js'
import { findFiles } from '../../src/system/glob.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

const index = (stanzas: Record<string, string>[]) =>
  [
    'TIMESTAMP: 1',
    '',
    ...stanzas.flatMap((fields) => [...Object.entries(fields).map((pair) => pair.join(': ')), '']),
  ].join('\n')

describe("a run's package directory", () => {
  const directory = temporaryDirectory()
  const finished = () => join(directory(), 'finished')
  const run = () => join(directory(), 'run')

  it('shares the finished packages without copying their bytes', () => {
    writeFiles(finished(), { 'a/b/b-1-1.gpkg.tar': 'one', Packages: index([]) })
    lendPackages(finished(), run())
    expect(statSync(join(run(), 'a/b/b-1-1.gpkg.tar')).ino).to.equal(
      statSync(join(finished(), 'a/b/b-1-1.gpkg.tar')).ino,
    )
    expect(statSync(join(run(), 'Packages')).ino).not.to.equal(statSync(join(finished(), 'Packages')).ino)
  })

  it('of a successful run replaces the finished packages, pruned', () => {
    writeFiles(finished(), { 'a/b/b-1-1.gpkg.tar': 'one', Packages: index([]) })
    lendPackages(finished(), run())
    writeFiles(run(), { 'a/b/b-2-1.gpkg.tar': 'two', Packages: 'new' })
    prunePackages(run(), new Set(['a/b/b-2-1.gpkg.tar']))
    keepPackages(run(), finished())
    expect(findFiles(finished(), '**')).to.deep.equal(['Packages', 'a/b/b-2-1.gpkg.tar'])
    expect(readFileSync(join(finished(), 'Packages'), 'utf8')).to.equal('new')
  })
})
