import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openLog } from '../../src/agent/build-log.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('the log of a build', () => {
  const directory = temporaryDirectory()
  const MEGABYTE = 1024 * 1024

  it('has every line at once', () => {
    const log = openLog(join(directory(), 'deep/log'), 1000)
    expect(log.record('one')).to.equal(true)
    expect(readFileSync(log.path, 'utf8')).to.equal('one\n')
    log.record('zwölf')
    log.end()
    expect(readFileSync(log.path, 'utf8')).to.equal('one\nzwölf\n')
  })

  it('keeps beginning and end of what is too long, and says what it leaves out', () => {
    const log = openLog(join(directory(), 'log'), 2 * MEGABYTE)
    const lines = Array.from({ length: 100_000 }, (_, index) => `${index} ${'x'.repeat(90)}`)
    const told = lines.filter((line) => log.record(line))
    log.end()
    const text = readFileSync(log.path, 'utf8')
    const [, before = '', left = '', after = ''] =
      /^([^]*)== (\d+) bytes of output are left out here ==\n([^]*)$/.exec(text) ?? []
    expect(before).to.equal(told.join('\n') + '\n')
    expect(before.length).to.be.within(2 * MEGABYTE - 100, 2 * MEGABYTE)
    expect(after.length).to.be.within(MEGABYTE - 100, MEGABYTE)
    const all = lines.join('\n') + '\n'
    expect([all.startsWith(before), all.endsWith(after)]).to.deep.equal([true, true])
    expect(before.length + Number(left) + after.length).to.equal(all.length)
  })

  it('leaves out nothing where the rest is short, and a line that is too long by itself', () => {
    const short = openLog(join(directory(), 'short'), 10)
    for (const line of ['12345', '12345678', 'x']) short.record(line)
    short.end()
    expect(readFileSync(short.path, 'utf8')).to.equal('12345\n12345678\nx\n')
    const long = openLog(join(directory(), 'long'), 10)
    for (const line of ['1', 'x'.repeat(2 * MEGABYTE), '2']) long.record(line)
    long.end()
    expect(readFileSync(long.path, 'utf8')).to.equal(
      `1\n== ${2 * MEGABYTE + 1} bytes of output are left out here ==\n2\n`,
    )
  })
})
