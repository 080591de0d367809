import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { Build } from '../../src/model/build.js'
import { fetchLog } from '../../src/store/log.js'
import { sha256 } from '../../src/system/hash.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { failure } from './machine.js'

const record = { file: 'build.log.zst', size: 8, sha256: sha256('compiled') }
const build: Build = {
  schema: 1,
  kind: 'machine',
  name: 'box',
  number: 1,
  started: '2026-01-01T00:00:00.000Z',
  finished: '2026-01-01T00:10:00.000Z',
  inputs: [],
  tools: {},
  packs: [],
  log: record,
}

describe('the log of a build', () => {
  const directory = temporaryDirectory()
  const fetch = async (content: string | undefined, own = build, signal = silent.signal) => {
    writeFiles(directory(), { 'store/.keep': '', ...(content !== undefined && { 'box/1/build.log.zst': content }) })
    const warnings: string[] = []
    const report = { ...silent.report, warn: (text: string) => warnings.push(text) }
    const source = openDirectorySource(`dir:${directory()}`)
    const item = { kind: 'tree' as const, name: 'box' }
    const bytes = await fetchLog(source, item, own, join(directory(), 'store'), { report, signal })
    return { bytes, warnings, files: readdirSync(join(directory(), 'store')) }
  }

  it('is taken over as the build record describes it', async () => {
    expect(await fetch('compiled')).to.deep.equal({ bytes: 8, warnings: [], files: ['.keep', 'build.log.zst'] })
    expect(readFileSync(join(directory(), 'store/build.log.zst'), 'utf8')).to.equal('compiled')
  })

  for (const [what, content, own] of [
    ['lost', undefined, build],
    ['changed', 'comqiled', build],
    ['longer than it says', 'compiled!', build],
    ['too long for any reader', 'compiled', { ...build, log: { ...record, size: 2 ** 30 } }],
  ] as const) {
    it(`that is ${what} is left out with a warning`, async () => {
      const { bytes, warnings, files } = await fetch(content, own)
      expect({ bytes, files }).to.deep.equal({ bytes: 0, files: ['.keep'] })
      expect(warnings.join()).to.include('box@1')
    })
  }

  it('is not waited for when the pull is stopped', async () => {
    expect((await failure(fetch('compiled', build, AbortSignal.abort()))).code).to.equal('ABORTED')
  })
})
