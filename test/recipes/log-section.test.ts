import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { joinLogs } from '../../src/recipes/join-logs.js'
import { logSection } from '../../src/recipes/log-section.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('the log of one recipe in the log of a build', () => {
  const directory = temporaryDirectory()

  it('is what that recipe said, whatever the others pretend, however the text arrives', async () => {
    const logs: Record<string, string> = {
      alpha: 'configure\n==> beta (4 bytes)\nfake',
      beta: 'real\n',
      empty: '',
      gamma: '==> gamma (0 bytes)\n\n',
    }
    writeFiles(directory(), Object.fromEntries(Object.entries(logs).map(([name, text]) => [`${name}.log`, text])))
    const joined = join(directory(), 'all/of/them.log')
    await joinLogs(directory(), ['alpha', 'beta', 'not-built', 'empty', 'gamma'], joined)
    const text = readFileSync(joined)
    for (const size of [1, 7, text.length]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        text.subarray(index * size, (index + 1) * size),
      )
      for (const [name, expected] of Object.entries({ ...logs, unknown: '' })) {
        const section = Readable.from(chunks).pipe(logSection(name))
        expect((await buffer(section)).toString(), `${name} in chunks of ${size}`).to.equal(expected)
        expect(section.names).to.deep.equal(['alpha', 'beta', 'empty', 'gamma'])
      }
    }
  })
})
