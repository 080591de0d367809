import { expect } from 'chai'
import { Readable } from 'node:stream'
import { readLines } from '../../src/chroot/lines.js'

async function lines(...chunks: (string | Buffer)[]): Promise<string[]> {
  const result: string[] = []
  await readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), (line) => result.push(line))
  return result
}

describe('chroot: lines of output', () => {
  it('joins what arrives in pieces, keeps empty lines and a last one without an end', async () => {
    expect(await lines('a', 'b\nc\r', '\n\n', 'last')).to.deep.equal(['ab', 'c', '', 'last'])
    expect(await lines('a\n')).to.deep.equal(['a'])
    expect(await lines()).to.deep.equal([])
  })

  it('joins characters that are cut between chunks', async () => {
    const bytes = Buffer.from('ä€\n')
    expect(await lines(...[...bytes].map((byte) => Buffer.from([byte])))).to.deep.equal(['ä€'])
  })

  it('loses nothing of a line that is too long', async () => {
    const long = 'x'.repeat(300_000)
    const pieces = await lines(long, `${long}\nnext\n`)
    expect(pieces.at(-1)).to.equal('next')
    expect(pieces.slice(0, -1).join('')).to.equal(long + long)
    expect(pieces.every((piece) => piece.length <= 65_536)).to.be.true
  })
})
