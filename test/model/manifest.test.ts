import { expect } from 'chai'
import fc from 'fast-check'
import { encodeManifest, ManifestDecoder } from '../../src/model/manifest.js'
import type { Entry, Manifest } from '../../src/model/manifest.js'

const name = fc.stringMatching(/^[A-Za-zäß][A-Za-z0-9äß ._+-]{0,20}$/)
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/)
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ type: fc.constant('directory' as const), path }),
  fc.record({ type: fc.constant('symlink' as const), path, target: name }),
  fc.record({ type: fc.constant('file' as const), path, executable: fc.boolean(), size: fc.nat(), sha256 }),
  fc.record({
    type: fc.constant('file' as const),
    path,
    executable: fc.boolean(),
    size: fc.nat(),
    sha256,
    origin: fc.integer({ min: 1 }),
  }),
)
const entries = fc.uniqueArray(entry, { selector: (one) => one.path })

describe('a manifest', () => {
  it('is read as it was written, sorted by path, in whatever order it came', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 300 }), (list, piece) => {
        const text = encodeManifest({ entries: list })
        expect(encodeManifest({ entries: list.toReversed() })).to.equal(text)
        expect(decode(text, { piece }).entries).to.have.deep.members(list)
      }),
    )
  })

  const header = '{"schema":1,"kind":"treeswap-manifest"}\n'
  const file = `{"f":"a","size":1,"sha256":"${'0'.repeat(64)}"}\n`
  const broken = {
    'is empty': '',
    'holds nothing but empty lines': header + '\n'.repeat(100),
    'has a line without end': header + ' '.repeat(40_000),
    'has a long line': header + ' '.repeat(40_000) + file,
    'has a name that a terminal obeys': header + file.replace('"a"', '"a\\u009b2J"'),
    'has a target that a terminal obeys': header + '{"l":"a","to":"\\u009b2J"}\n',
    'is cut off': header + file.slice(0, -1),
    'has no header': file,
    'has a header of the future': header.replace('1', '2'),
    'leaves its top': header + file.replace('"a"', '"../a"'),
    'names an absolute path': header + file.replace('"a"', '"/a"'),
    'repeats a path': header + file + file,
    'has a negative size': header + file.replace('"size":1', '"size":-1'),
    'has half a checksum': header + file.replace('0'.repeat(64), '0'.repeat(32)),
    'has an origin that is no build': header + file.replace('}', ',"origin":0}'),
    'is no JSON': header + 'x\n',
  }
  for (const [what, text] of Object.entries(broken)) {
    it(`that ${what} is refused`, () => {
      expect(() => decode(text))
        .to.throw(/x\.manifest\.zst/)
        .with.property('code', 'MANIFEST_INVALID')
    })
  }

  it('is read up to the number of entries that is wanted, and no further', () => {
    const text = header + file + file.replace('"a"', '"b"')
    expect(decode(text, { maxEntries: 2 }).entries).to.have.length(2)
    expect(() => decode(`${text}no entry`, { maxEntries: 1 })).to.throw('more than 1 entries')
  })
})

function decode(text: string, { piece = 7, maxEntries = 1000 } = {}): Manifest {
  const decoder = new ManifestDecoder('x.manifest.zst', maxEntries)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += piece) decoder.push(bytes.subarray(at, at + piece))
  return decoder.end()
}
