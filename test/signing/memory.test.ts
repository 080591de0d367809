import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../lab/temporary.js'
import { compileDriver } from '../publish/injection.js'
import { makeKey } from './keys.js'

describe('signing what is large', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()

  it('keeps none of it in memory', async () => {
    const driver = compileDriver(directory(), join(import.meta.dirname, 'memory-driver.ts'))
    const configFile = join(directory(), 'key.json')
    writeFileSync(configFile, JSON.stringify((await makeKey(directory())).config))
    const needed = execFileSync(process.execPath, [driver, configFile, '500'], { encoding: 'utf8' })
    expect(Number(needed)).to.be.lessThan(300_000)
  })
})
