import { expect } from 'chai'
import fc from 'fast-check'
import { decodeManifest, encodeManifest } from '../../src/model/manifest.js'
import type { Entry } from '../../src/model/manifest.js'

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
      fc.property(entries, (list) => {
        const text = encodeManifest({ entries: list })
        expect(encodeManifest({ entries: list.toReversed() })).to.equal(text)
        expect(decodeManifest(text, 'test').entries).to.have.deep.members(list)
      }),
    )
  })

  const header = '{"schema":1,"kind":"treeswap-manifest"}\n'
  const file = `{"f":"a","size":1,"sha256":"${'0'.repeat(64)}"}\n`
  const broken = {
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
      expect(() => decodeManifest(text, 'x.manifest.zst'))
        .to.throw(/x\.manifest\.zst/)
        .with.property('code', 'MANIFEST_INVALID')
    })
  }
})
