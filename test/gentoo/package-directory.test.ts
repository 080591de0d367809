import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { lendPackages, readIndex, takePackages } from '../../src/gentoo/package-directory.js'
import { findFiles } from '../../src/system/glob.js'
import { replaceDirectory } from '../../src/system/replace-directory.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

const index = 'TIMESTAMP: 1\n\n'
const stanza = (path: string, size = 3) =>
  new Map([
    ['CPV', 'a/b-1'],
    ['PATH', path],
    ['SIZE', String(size)],
  ])

describe("a run's package directory", () => {
  const directory = temporaryDirectory()
  const finished = () => join(directory(), 'finished')
  const run = () => join(directory(), 'run')

  it('shares the finished packages without copying their bytes', () => {
    writeFiles(finished(), { 'a/b/b-1-1.gpkg.tar': 'one', Packages: index })
    lendPackages(finished(), run())
    const inode = (path: string) => statSync(path).ino
    expect(inode(join(run(), 'a/b/b-1-1.gpkg.tar'))).to.equal(inode(join(finished(), 'a/b/b-1-1.gpkg.tar')))
    expect(inode(join(run(), 'Packages'))).not.to.equal(inode(join(finished(), 'Packages')))
  })

  it('gives away what its index names, and nothing that is torn, linked, special or outside', () => {
    writeFiles(run(), {
      'a/b/b-1-1.gpkg.tar': 'one',
      'a/torn/torn-1-1.gpkg.tar': 'on',
      '../host/h/h-1-1.gpkg.tar': 'one',
    })
    symlinkSync(join(directory(), 'host'), join(run(), 'linked'))
    symlinkSync('../b/b-1-1.gpkg.tar', join(run(), 'a/torn/link-1-1.gpkg.tar'))
    execFileSync('mkfifo', [join(run(), 'a/b/pipe-1-1.gpkg.tar')])
    const wanted = [
      stanza('a/b/b-1-1.gpkg.tar'),
      stanza('a/torn/torn-1-1.gpkg.tar'),
      stanza('a/torn/link-1-1.gpkg.tar'),
      stanza('a/b/pipe-1-1.gpkg.tar', 0),
      stanza('linked/h/h-1-1.gpkg.tar'),
      stanza('../host/h/h-1-1.gpkg.tar'),
    ]
    expect(takePackages(run(), wanted, finished())).to.deep.equal([wanted[0]])
    expect(findFiles(finished(), '**')).to.deep.equal(['a/b/b-1-1.gpkg.tar'])
    expect(existsSync(join(directory(), 'host/h/h-1-1.gpkg.tar'))).to.equal(true)
  })

  it('has no index where something else has its name', () => {
    mkdirSync(run())
    execFileSync('mkfifo', [join(run(), 'Packages')])
    expect(readIndex(run()).stanzas).to.deep.equal([])
  })

  it('of a successful run replaces the finished packages', () => {
    writeFiles(finished(), { 'a/b/b-1-1.gpkg.tar': 'one', Packages: index })
    writeFiles(run(), { 'a/b/b-2-1.gpkg.tar': 'two', Packages: 'new' })
    replaceDirectory(run(), finished())
    expect(findFiles(finished(), '**')).to.deep.equal(['Packages', 'a/b/b-2-1.gpkg.tar'])
    expect(readFileSync(join(finished(), 'Packages'), 'utf8')).to.equal('new')
  })
})
