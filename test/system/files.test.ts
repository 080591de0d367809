import { expect } from 'chai'
import { existsSync, linkSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  explainDiskError,
  linkTarget,
  makeDirectory,
  listDirectory,
  readBytes,
  readTextIfThere,
  replaceLink,
  statusOf,
  targetStatusOf,
  writeAtomically,
} from '../../src/system/files.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('a file', () => {
  const directory = temporaryDirectory()
  const path = (name: string) => join(directory(), name)

  it('is replaced as a whole: what is linked elsewhere keeps the old content', () => {
    writeFileSync(path('a'), 'old')
    linkSync(path('a'), path('b'))
    writeAtomically(path('a'), 'new')
    expect([readFileSync(path('a'), 'utf8'), readFileSync(path('b'), 'utf8')]).to.deep.equal(['new', 'old'])
  })

  it('is not read through a symlink that somebody else made', () => {
    symlinkSync('/etc/hostname', path('link'))
    expect(() => readBytes(path('link')))
      .to.throw()
      .with.property('code', 'ELOOP')
  })

  it('that is a pointer is moved even where a killed process left its temporary link', () => {
    symlinkSync('old', path('pointer'))
    symlinkSync('leftover', `${path('pointer')}.${process.pid}.tmp`)
    replaceLink('new', path('pointer'))
    expect(readlinkSync(path('pointer'))).to.equal('new')
  })

  it('is absent where something above it is no directory', () => {
    writeFileSync(path('file'), '')
    const below = path('file/below')
    const found = [statusOf(below), targetStatusOf(below), readTextIfThere(below), linkTarget(below)]
    expect(found).to.deep.equal([undefined, undefined, undefined, undefined])
    expect([listDirectory(path('file')), listDirectory(below)]).to.deep.equal([[], []])
  })

  it('gets its directories made, through a link too, and an error where they cannot be', () => {
    mkdirSync(path('real'))
    symlinkSync('real', path('link'))
    makeDirectory(path('link/a/b'))
    expect(existsSync(path('real/a/b'))).to.equal(true)
    symlinkSync('not-mounted', path('dangling'))
    writeFileSync(path('file'), '')
    for (const wrong of ['/proc/x/y', path('dangling/a'), path('file/a'), path('file')]) {
      expect(() => {
        makeDirectory(wrong)
      }, wrong)
        .to.throw(wrong.split('/').at(-1) === 'y' ? '/proc/x' : directory())
        .with.property('code', 'DIRECTORY_FAILED')
    }
  })

  it('that is no symlink has no target', () => {
    mkdirSync(path('directory'))
    expect([linkTarget(path('directory')), linkTarget(path('nothing'))]).to.deep.equal([undefined, undefined])
  })

  it('that a full disk refused is explained, and other errors stay what they are', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    expect(explainDiskError(full, '/srv')).to.include({ code: 'DISK', message: '/srv: there is no space left' })
    const other = new Error('other')
    expect(explainDiskError(other, '/srv')).to.equal(other)
  })
})
