import { expect } from 'chai'
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { policyOf } from '../../src/artifact/tar-policy.js'
import { collector, failure, pieces, read, readTar } from './collect.js'
import { archive, directory, encode, gnuLong, pax, symlink } from './tar-builder.js'

const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`

describe('reading a tar archive', () => {
  it('gives files, directories and links with the content, mode and sha256 they have', async () => {
    const { entries, content } = await read(
      archive(
        directory('./'),
        directory('./a/'),
        { name: './a/run', mode: 0o750, content: 'run me' },
        { name: './a/empty' },
        symlink('./a/link', '../other'),
        { name: './hard', type: '1', link: './a/run' },
      ),
    )
    const sha256 = createHash('sha256').update('run me').digest('hex')
    expect(entries[1]).to.deep.equal({ type: 'file', path: 'a/run', executable: true, size: 6, sha256 })
    expect(entries.at(-1)).to.deep.equal({ type: 'file', path: 'hard', executable: true, size: 6, sha256 })
    expect(Object.fromEntries(content)).to.deep.equal({
      a: undefined,
      'a/run': 'run me',
      'a/empty': '',
      'a/link': '-> ../other',
      hard: 'run me',
    })
  })

  it('reads long names in the ways of GNU tar and pax', async () => {
    const top = directory('d'.repeat(90))
    const target = 't/'.repeat(90)
    const gnu = await read(
      archive(top, gnuLong('L', long), gnuLong('K', target), { name: 'cut', type: '2', link: 'cut', magic: 'gnu' }),
    )
    const posix = await read(archive(top, pax({ path: long, linkpath: target, mtime: '1.5' }), symlink('cut', 'cut')))
    expect(gnu.content.get(long)).to.equal(`-> ${target}`)
    expect(posix.content.get(long)).to.equal(`-> ${target}`)
  })

  it('takes the size of a pax header before that of the header behind it', async () => {
    const { content } = await read(archive(pax({ size: '3' }), { name: 'a', content: 'abc', size: 0 }))
    expect(content.get('a')).to.equal('abc')
  })

  it('reads UTF-8 names, and the comment that git writes in front', async () => {
    const { content } = await read(archive(pax({ comment: 'commit' }, 'g'), { name: 'grüße 日本', content: 'x' }))
    expect([...content.keys()]).to.deep.equal(['grüße 日本'])
  })

  it('does not depend on how the bytes arrive', async () => {
    const content = 'x'.repeat(2 ** 20 + 700)
    const bytes = archive(directory('d'), { name: 'd/large', content }, { name: 'd/small', content: 'small' })
    for (const piece of [511, 512, 513, 65_536, 2 ** 21]) {
      const found = await read(bytes, { piece })
      expect(found.content.get('d/large') === content, `pieces of ${piece} bytes`).to.equal(true)
      expect(found.content.get('d/small')).to.equal('small')
    }
    const tiny = await read(archive({ name: 'one', content: 'by one' }), { piece: 1 })
    expect(tiny.content.get('one')).to.equal('by one')
  })

  it('reads what GNU tar and Python write of any tree of names and contents', async function () {
    this.timeout(60_000)
    const name = fc.stringMatching(/^[a-zA-Z0-9 ._äß日-]{1,20}$/).filter((text) => text !== '.' && text !== '..')
    const paths = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        paths,
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 1500 }),
        async (tree, size, piece) => {
          const expected = plant(tree, size)
          for (const format of ['GNU_FORMAT', 'PAX_FORMAT', 'USTAR_FORMAT']) {
            const bytes = pythonTar(format, expected)
            const { content } = await read(bytes, { piece })
            expect(Object.fromEntries(content), format).to.deep.equal(expected)
          }
        },
      ),
      { numRuns: 8 },
    )
  })

  describe('leads to a link out of the archive', () => {
    it('only as make.profile of a profile', async () => {
      const link = '../../var/db/repos/gentoo/profiles/default'
      const { content } = await read(archive(symlink('make.profile', link)), { policy: policyOf('etc-portage') })
      expect(content.get('make.profile')).to.equal(`-> ${link}`)
      const inside = await failure(() =>
        read(archive(directory('d'), symlink('d/make.profile', '../../x')), { policy: policyOf('etc-portage') }),
      )
      expect(inside.code).to.equal('ARCHIVE_REFUSED')
      const repo = await failure(() =>
        read(archive(symlink('make.profile', link)), { policy: policyOf('ebuild-repo') }),
      )
      expect(repo.message).to.include('make.profile').and.include('may lead out')
    })
  })
})

describe('a hostile archive is refused:', () => {
  const d = directory('d')
  const levels = Array.from({ length: 65 }, (_, index) => 'd/'.repeat(index + 1))
  const deep = levels.flatMap((path) => [gnuLong('L', path), directory('cut')])
  const sizeOf32GiB = Buffer.from('800000000000000800000000', 'hex')
  const cases: [what: string, bytes: Buffer, entry: string, rule: string][] = [
    ['an absolute path', archive({ name: '/etc/passwd' }), '/etc/passwd', 'is absolute'],
    ['a path that climbs', archive(d, { name: 'd/../../x' }), 'd/../../x', '".." component'],
    ['.. alone', archive(directory('..')), '..', '".." component'],
    ['. as a file', archive({ name: '.' }), '.', '"." component'],
    ['. in the middle', archive(d, { name: 'd/./x' }), 'd/./x', '"." component'],
    ['an empty component', archive(d, { name: 'd//x' }), 'd//x', 'empty component'],
    ['a file with a trailing slash', archive({ name: 'x/' }), 'x/', 'empty component'],
    ['no name', archive({ name: '' }), '', 'name is empty'],
    ['a line break in a name', archive({ name: 'a\nb' }), 'a\\nb', 'control character'],
    ['an escape in a name', archive({ name: 'a\x1b[2J' }), '', 'control character'],
    ['a C1 control character', archive({ name: 'a\u009b' }), '', 'control character'],
    ['a NUL in a pax path', archive(pax({ path: 'a\0b' }), { name: 'x' }), '', 'control character'],
    ['a name that is not UTF-8', archive({ name: Buffer.from([0x61, 0xff, 0x62]) }), 'a\u00ff', 'not valid UTF-8'],
    ['a pax path that is not UTF-8', archive(pax({ path: Buffer.from([0xc3]) }), { name: 'x' }), '', 'not valid UTF-8'],
    [
      'a target that is not UTF-8',
      archive({ name: 'l', type: '2', link: Buffer.from([0xff]) }),
      'l',
      'not valid UTF-8',
    ],
    ['a component of 256 bytes', archive(pax({ path: 'ä'.repeat(128) }), { name: 'x' }), '', 'longer than 255'],
    ['a path of 4001 bytes', archive(pax({ path: 'a'.repeat(4001) }), { name: 'x' }), '', 'longer than 4000'],
    ['65 levels', archive(...deep), '', 'deeper than 64'],
    ['the same path twice', archive({ name: 'x' }, { name: './x' }), 'x', 'twice'],
    ['the same directory twice', archive(d, directory('d/')), 'd', 'twice'],
    ['a file over a symlink', archive(symlink('x', 'y'), { name: 'x' }), 'x', 'twice'],
    ['a file below a symlink', archive(d, symlink('l', 'd'), { name: 'l/x' }), 'l/x', 'parent is no directory'],
    ['a file below a file', archive({ name: 'f' }, { name: 'f/x' }), 'f/x', 'parent is no directory'],
    ['a parent that is not there', archive({ name: 'a/x' }), 'a/x', 'parent is no directory'],
    ['an absolute symlink', archive(symlink('l', '/etc')), 'l', 'may lead out'],
    ['a symlink that climbs out', archive(d, symlink('d/l', '../../x')), 'd/l', 'may lead out'],
    ['a symlink that climbs behind a name', archive(d, symlink('d/l', 'x/../../..')), 'd/l', 'may lead out'],
    ['a symlink to nothing', archive(symlink('l', '')), 'l', 'target is empty'],
    ['a control character in a target', archive(symlink('l', 'a\tb')), 'l', 'control character'],
    ['a symlink with content', archive({ ...symlink('l', 'x'), content: 'x' }), 'l', 'has content'],
    ['a directory with content', archive({ ...d, content: 'x' }), 'd', 'has content'],
    ['a hard link to what is not there', archive({ name: 'h', type: '1', link: 'x' }), 'h', 'no file before it'],
    ['a hard link out', archive({ name: 'h', type: '1', link: '/etc/shadow' }), 'h', 'no file before it'],
    [
      'a hard link to a symlink',
      archive(symlink('l', 'x'), { name: 'h', type: '1', link: 'l' }),
      'h',
      'no file before',
    ],
    ['a hard link to itself', archive({ name: 'h', type: '1', link: 'h' }), 'h', 'no file before it'],
    ['a character device', archive({ name: 'null', type: '3' }), 'null', 'character device'],
    ['a block device', archive({ name: 'sda', type: '4' }), 'sda', 'block device'],
    ['a FIFO', archive({ name: 'pipe', type: '6' }), 'pipe', 'FIFO'],
    ['a sparse file', archive({ name: 's', type: 'S', magic: 'gnu' }), 's', 'sparse'],
    ['a sparse file of pax', archive(pax({ 'GNU.sparse.major': '1' }), { name: 's' }), '', 'GNU.sparse.major'],
    ['extended attributes', archive(pax({ 'SCHILY.xattr.user.x': '1' }), { name: 'f' }), '', 'SCHILY.xattr.user.x'],
    ['access lists', archive(pax({ 'SCHILY.acl.access': 'user::rwx' }), { name: 'f' }), '', 'SCHILY.acl.access'],
    ['an unknown type', archive({ name: 'v', type: 'V' }), 'v', 'neither file, directory nor link'],
    ['a setuid file', archive({ name: 'su', mode: 0o4755 }), 'su', 'setuid'],
    ['a setgid directory', archive({ ...d, mode: 0o2755 }), 'd', 'setgid'],
    ['a path for all members', archive(pax({ path: 'x' }, 'g'), { name: 'a' }), '', 'global header sets path'],
    ['a pax key twice', archive({ ...pax({}), content: '9 path=a\n9 path=b\n' }, { name: 'x' }), '', 'repeats path'],
    [
      'two headers that name one member',
      archive(gnuLong('L', 'a'), pax({ path: 'b' }), { name: 'x' }),
      '',
      'set the path',
    ],
    [
      'a pax record that lies about its length',
      archive({ ...pax({}), content: '99 path=a\n' }, { name: 'x' }),
      '',
      'broken',
    ],
    ['a pax header of nothing', archive(pax({}), { name: 'x' }), 'PaxHeaders/x', 'no sensible size'],
    ['a pax header of 1 MiB', archive(pax({ comment: 'x'.repeat(2 ** 20) }), { name: 'x' }), '', 'no sensible size'],
    ['an extended header in front of nothing', archive(pax({ path: 'a' })), '', 'before the end mark'],
    ['a negative size', archive({ name: 'n', sizeField: Buffer.alloc(12, 0xff) }), 'n', 'no number'],
    ['a size beyond all numbers', archive({ name: 'n', sizeField: Buffer.alloc(12, 0x80) }), 'n', 'no number'],
    ['a file beyond the limit', archive({ name: 'n', sizeField: sizeOf32GiB }), 'n', 'larger than'],
    ['a wrong checksum', archive({ name: 'c', breakChecksum: true }), '', 'checksum'],
    ['an old or foreign format', archive({ name: 'o', magic: '' }), '', 'neither POSIX nor GNU'],
    ['no end mark', encode({ name: 'x', content: 'x' }), 'x', 'cut off'],
    ['half an end mark', Buffer.concat([encode({ name: 'x' }), Buffer.alloc(512)]), 'x', 'cut off'],
    [
      'a member behind a block of zeros',
      Buffer.concat([Buffer.alloc(512), archive({ name: 'x' })]),
      '',
      'end mark is broken',
    ],
    [
      'a second archive behind the first',
      Buffer.concat([archive({ name: 'x' }), archive({ name: 'y' })]),
      '',
      'follows its end',
    ],
    ['half a block at the end', Buffer.concat([archive({ name: 'x' }), Buffer.alloc(100)]), 'x', 'cut off'],
    ['nothing at all', Buffer.alloc(0), '', 'cut off'],
    ['something else', Buffer.alloc(2048, 'tar'), '', 'checksum'],
  ]
  for (const [what, bytes, entry, rule] of cases) {
    it(what, async () => {
      const error = await failure(() => read(bytes))
      expect(error.code).to.equal('ARCHIVE_REFUSED')
      expect(error.message).to.include('test.tar').and.include(entry).and.include(rule)
    })
  }

  it('more entries, or more bytes, than the policy allows', async () => {
    const bytes = archive({ name: 'a', content: 'aaaa' }, { name: 'b', content: 'bbbb' })
    const entries = await failure(() => read(bytes, { policy: { maxEntries: 1 } }))
    expect(entries.message).to.include('"b"').and.include('more than 1 entries')
    const sum = await failure(() => read(bytes, { policy: { maxBytes: 7 } }))
    expect(sum.message).to.include('"b"').and.include('larger than 7 bytes together')
    const links = archive({ name: 'a', content: 'aaaa' }, { name: 'h', type: '1', link: 'a' })
    expect((await failure(() => read(links, { policy: { maxBytes: 7 } }))).message).to.include('"h"')
  })

  it('a valid one that is cut off anywhere', async () => {
    const bytes = archive(directory('d'), { name: 'd/f', content: 'content' }, pax({ path: 'p' }), { name: 'x' })
    for (let length = 0; length < bytes.length; length += 64) {
      const error = await failure(() => read(bytes.subarray(0, length)))
      expect(error.code, `after ${length} bytes`).to.equal('ARCHIVE_REFUSED')
    }
  })

  it('and a large file that was begun is abandoned', async () => {
    const { sink, abandoned, content } = collector()
    const bytes = archive({ name: 'large', content: 'x'.repeat(2 ** 20 + 1) }).subarray(0, 2 ** 20)
    await failure(() => readTar(pieces(bytes, 65_536), sink))
    expect(abandoned).to.deep.equal(['large'])
    expect(content.size).to.equal(0)
  })
})

/** path → content, directories undefined; a path that runs through a file is left out */
function plant(tree: string[][], size: number): Record<string, string | undefined> {
  const content: Record<string, string | undefined> = {}
  for (const parts of tree) {
    const parents = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
    const path = parts.join('/')
    if (parents.some((parent) => content[parent] !== undefined) || path in content) continue
    for (const parent of parents) content[parent] = undefined
    content[path] = path.slice(0, 1).charCodeAt(0) % 2 === 0 ? 'x'.repeat(size) : ''
  }
  return content
}

const writer = `
import io, json, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=getattr(tarfile, sys.argv[1]))
for path, content in json.load(sys.stdin):
    info = tarfile.TarInfo(path)
    if content is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        out.addfile(info)
    else:
        info.size = len(content)
        out.addfile(info, io.BytesIO(content.encode()))
out.close()
`

function pythonTar(format: string, tree: Record<string, string | undefined>): Buffer {
  const members = Object.entries(tree).map(([path, content]) => [path, content ?? null])
  return execFileSync('python3', ['-c', writer, format], { input: JSON.stringify(members), maxBuffer: 2 ** 26 })
}
