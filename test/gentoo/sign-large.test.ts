import { execFileSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { manifestLine } from '../lab/gpkg.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { compileDriver } from '../publish/injection.js'
import { makeKey } from '../signing/keys.js'

const MEGABYTES = 400

describe('signing a large Gentoo package', function () {
  this.timeout(180_000)
  const directory = temporaryDirectory()

  it('keeps none of it in memory', async () => {
    const driver = compileDriver(directory(), join(import.meta.dirname, 'memory-driver.ts'))
    const configFile = join(directory(), 'key.json')
    writeFileSync(configFile, JSON.stringify((await makeKey(directory())).config))
    const place = join(directory(), 'large-1-1')
    mkdirSync(place)
    const names = ['gpkg-1', 'metadata.tar', 'image.tar']
    for (const name of names) writeFileSync(join(place, name), '')
    truncateSync(join(place, 'image.tar'), MEGABYTES * 2 ** 20)
    // no large buffer here: a child's memory counts from what its parent had
    const image = Array<Buffer>(MEGABYTES).fill(Buffer.alloc(2 ** 20))
    const lines = names.map((name) => manifestLine(name, name === 'image.tar' ? image : []))
    writeFileSync(join(place, 'Manifest'), lines.join(''))
    const given = join(directory(), 'given.gpkg.tar')
    const paths = [...names, 'Manifest'].map((name) => `large-1-1/${name}`)
    execFileSync('tar', ['--format=ustar', '-C', directory(), '-cf', given, ...paths])
    const needed = execFileSync(process.execPath, [driver, configFile, given, join(directory(), 'to')], {
      encoding: 'utf8',
    })
    expect(Number(needed)).to.be.lessThan(300_000)
  })
})
