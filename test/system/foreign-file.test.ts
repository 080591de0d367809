import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readForeignFile } from '../../src/system/foreign-file.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('a file that somebody else wrote', () => {
  const directory = temporaryDirectory()
  const path = (name: string) => join(directory(), name)

  it('is read up to a limit, from its beginning or its end', () => {
    writeFileSync(path('file'), '0123456789')
    expect(readForeignFile(path('file'), 100)?.toString()).to.equal('0123456789')
    expect(readForeignFile(path('file'), 3)?.toString()).to.equal('012')
    expect(readForeignFile(path('file'), 3, true)?.toString()).to.equal('789')
  })

  it('is not read where it is a link, a pipe or a directory, and nobody waits for it', () => {
    symlinkSync('/etc/hostname', path('link'))
    execFileSync('mkfifo', [path('pipe')])
    mkdirSync(path('directory'))
    for (const name of ['link', 'pipe', 'directory', 'nothing']) {
      expect(readForeignFile(path(name), 100), name).to.equal(undefined)
    }
  })
})
