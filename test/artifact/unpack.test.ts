import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { execFileSync } from 'node:child_process'
import { readManifest } from '../../src/artifact/manifest-file.js'
import { packDirectory } from '../../src/artifact/pack.js'
import { ignoreContent } from '../../src/artifact/tar-sink.js'
import { readPack, unpackPack } from '../../src/artifact/unpack.js'
import type { Pack, Role } from '../../src/model/build.js'
import { encodeManifest } from '../../src/model/manifest.js'
import type { Manifest } from '../../src/model/manifest.js'
import { objectMtime } from '../../src/model/object-key.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { failure } from './collect.js'
import { archive, directory, endMark } from './tar-builder.js'

const temporary = temporaryDirectory()

describe('reading a pack', () => {
  for (const role of ['ebuild-repo', 'packages'] as const) {
    describe(`of role ${role}`, () => {
      it('refuses it when one byte is another one, or bytes are missing or added', async () => {
        const { pack, bytes } = await made(role)
        const middle = Math.floor(bytes.length / 2)
        const altered = Buffer.from(bytes)
        altered.writeUInt8(altered.readUInt8(middle) ^ 1, middle)
        const versions = {
          altered,
          short: bytes.subarray(0, -1),
          half: bytes.subarray(0, middle),
          none: bytes.subarray(0, 0),
          long: Buffer.concat([bytes, Buffer.alloc(1)]),
        }
        for (const [name, version] of Object.entries(versions)) {
          const error = await failure(() => readPack(pack, stream(version), ignoreContent, silent))
          expect(error.code, name).to.equal('PACK_DAMAGED')
          expect(error.message, name).to.include(pack.file)
        }
      })

      it('leaves no directory behind when it refuses', async () => {
        const { pack, manifest, bytes } = await made(role)
        const target = join(temporary(), 'unpacked')
        await failure(() => unpackPack(pack, manifest, stream(bytes.subarray(0, -600)), target, silent))
        expect(existsSync(target)).to.equal(false)
      })

      it('stops when it is aborted though no byte arrives', async () => {
        const { pack } = await made(role)
        const abort = new AbortController()
        const reading = failure(() =>
          readPack(pack, new PassThrough(), ignoreContent, { ...silent, signal: abort.signal }),
        )
        setImmediate(() => abort.abort())
        expect((await reading).code).to.equal('ABORTED')
      })

      it('does not begin when it is aborted already', async () => {
        const { pack, bytes } = await made(role)
        const error = await failure(() =>
          readPack(pack, stream(bytes), ignoreContent, { ...silent, signal: AbortSignal.abort() }),
        )
        expect(error.code).to.equal('ABORTED')
      })

      it('passes on what a connection fails with', async () => {
        const { pack, bytes } = await made(role)
        const input = new Readable({ read: () => undefined })
        input.push(bytes.subarray(0, 100))
        setImmediate(() => input.destroy(new Error('connection reset')))
        const error: unknown = await readPack(pack, input, ignoreContent, silent).catch((caught: unknown) => caught)
        expect(error).to.be.an('error').with.property('message', 'connection reset')
      })
    })
  }

  it('refuses anything but one zstd frame, though all sums are right', async () => {
    const frame = zstd(archive({ name: 'a', content: 'a' }))
    const skippable = Buffer.from('502a4d1804000000aaaaaaaa', 'hex')
    const cases: [string, Buffer, string][] = [
      ['two frames', Buffer.concat([frame, zstd(Buffer.alloc(512))]), 'follows its zstd frame'],
      ['a skippable frame behind', Buffer.concat([frame, skippable]), 'follows its zstd frame'],
      ['a skippable frame in front', Buffer.concat([skippable, frame]), 'no zstd frame'],
      ['plain tar', archive({ name: 'a' }), 'no zstd frame'],
      ['half a frame', frame.subarray(0, frame.length - 6), 'cut off'],
      ['a wrong checksum', Buffer.concat([frame.subarray(0, -4), Buffer.alloc(4)]), 'zstd ended'],
    ]
    for (const [name, bytes, rule] of cases) {
      const error = await failure(() => readPack(packOf(bytes), stream(bytes), ignoreContent, silent))
      expect([error.code, error.category, name]).to.deep.equal(['ARCHIVE_REFUSED', 'publish', name])
      expect(error.message).to.include('test.tar.zst').and.include(rule)
    }
  })

  it('reads frames with and without checksum, size and from many blocks', async () => {
    const bytes = archive({ name: 'a', content: noise(700_000) }, { name: 'b', content: 'b'.repeat(300_000) })
    for (const options of [[], ['--no-check'], ['--no-content-size'], ['-19'], ['--fast=5']]) {
      const file = zstd(bytes, options)
      const entries = await readPack(packOf(file), stream(file, 1000), ignoreContent, silent)
      expect(entries.map(({ path }) => path)).to.deep.equal(['a', 'b'])
    }
  })

  it('refuses a bomb before it is unpacked', async () => {
    const large = { name: 'zeros', content: Buffer.alloc(100 * 2 ** 20) }
    const bomb = zstd(archive(large), ['-19'])
    const error = await failure(() => readPack(packOf(bomb), stream(bomb), ignoreContent, silent))
    expect(error.code).to.equal('ARCHIVE_REFUSED')
    expect(error.message).to.include('unpacks to more than')
  })

  it('names the entry that breaks the policy, and unpacks nothing', async () => {
    const bytes = zstd(archive(directory('d'), { name: 'd/../../escaped' }))
    const target = join(temporary(), 'a/b')
    const error = await failure(() => unpackPack(packOf(bytes), { entries: [] }, stream(bytes), target, silent))
    expect(error.code).to.equal('ARCHIVE_REFUSED')
    expect(error.message).to.include('d/../../escaped')
    expect(existsSync(target)).to.equal(false)
    expect(existsSync(join(temporary(), 'escaped'))).to.equal(false)
  })
})

describe('unpacking a pack', () => {
  it('gives each file the time that its content has everywhere', async () => {
    const { pack, manifest, bytes } = await made('ebuild-repo')
    const target = join(temporary(), 'unpacked')
    await unpackPack(pack, manifest, stream(bytes), target, silent)
    const sha256 = createHash('sha256').update('one').digest('hex')
    expect(statSync(join(target, 'app/one')).mtimeMs).to.equal(objectMtime(sha256) * 1000)
  })

  it('gives a hard link its own file', async () => {
    const bytes = zstd(archive({ name: 'a', content: 'same' }, { name: 'b', type: '1', link: 'a' }))
    const sha256 = createHash('sha256').update('same').digest('hex')
    const file = { type: 'file' as const, executable: false, size: 4, sha256 }
    const target = join(temporary(), 'unpacked')
    await unpackPack(
      packOf(bytes),
      {
        entries: [
          { ...file, path: 'a' },
          { ...file, path: 'b' },
        ],
      },
      stream(bytes),
      target,
      silent,
    )
    expect(readFileSync(join(target, 'b'), 'utf8')).to.equal('same')
    expect(statSync(join(target, 'b')).nlink).to.equal(1)
  })

  it('does not touch a directory that holds something', async () => {
    const { pack, manifest, bytes } = await made('ebuild-repo')
    writeFiles(temporary(), { 'full/mine': 'mine' })
    const error = await failure(() => unpackPack(pack, manifest, stream(bytes), join(temporary(), 'full'), silent))
    expect(error.code).to.equal('UNPACK_EXISTS')
    expect(readdirSync(join(temporary(), 'full'))).to.deep.equal(['mine'])
  })

  it('refuses a pack that is not what its manifest says', async () => {
    const { pack, manifest, bytes } = await made('ebuild-repo')
    const other = {
      ...manifest,
      entries: manifest.entries.map((entry) => (entry.type === 'file' ? { ...entry, executable: true } : entry)),
    }
    const extra = { entries: [...manifest.entries, { type: 'symlink' as const, path: 'more', target: 'x' }] }
    const fewer = { entries: manifest.entries.filter(({ path }) => path !== 'app/two') }
    const cases: [Manifest, string][] = [
      [other, 'app/one'],
      [extra, 'more'],
      [fewer, 'app/two'],
    ]
    for (const [wrong, path] of cases) {
      const error = await failure(() => unpackPack(pack, wrong, stream(bytes), join(temporary(), 'unpacked'), silent))
      expect([error.code, error.category]).to.deep.equal(['PACK_CONTRADICTORY', 'publish'])
      expect(error.message).to.include(path)
    }
  })
})

describe('reading a manifest file', () => {
  it('refuses it when a byte changed, or it was cut off', async () => {
    const { pack } = await made('ebuild-repo')
    const file = join(temporary(), 'out', pack.manifest.file)
    const bytes = readFileSync(file)
    const altered = Buffer.from(bytes)
    altered.writeUInt8(altered.readUInt8(20) ^ 1, 20)
    for (const version of [altered, bytes.subarray(0, -3), Buffer.alloc(0)]) {
      writeFileSync(file, version)
      const error = await failure(() => readManifest(file, pack))
      expect(error.code).to.equal('PACK_DAMAGED')
      expect(error.message).to.include(pack.manifest.file)
    }
  })

  it('refuses entries that would leave their place, whoever wrote them', async () => {
    const sha256 = '0'.repeat(64)
    const cases: [Manifest, string, Role][] = [
      [{ entries: [{ type: 'symlink', path: 'Packages', target: 'x' }] }, 'Packages', 'packages'],
      [{ entries: [{ type: 'file', path: 'a/b', executable: false, size: 1, sha256, origin: 3 }] }, 'a/b', 'packages'],
      [
        {
          entries: [
            { type: 'symlink', path: 'l', target: '/etc' },
            { type: 'file', path: 'l/passwd', executable: false, size: 1, sha256, origin: 3 },
          ],
        },
        'l',
        'ebuild-repo',
      ],
      [{ entries: [{ type: 'symlink', path: 'l', target: '../x' }] }, 'l', 'ebuild-repo'],
    ]
    for (const [manifest, path, role] of cases) {
      const error = await failure(() => readBack(zstd(Buffer.from(encodeManifest(manifest))), { role }))
      expect([error.code, error.category]).to.deep.equal(['MANIFEST_INVALID', 'publish'])
      expect(error.message).to.include(path)
    }
  })

  it('refuses what nobody could hold in memory at its first lines', async () => {
    const header = encodeManifest({ entries: [] })
    const error = await failure(() => readBack(zstd(Buffer.from(header + '\n'.repeat(50_000_000)))))
    expect(error.code).to.equal('MANIFEST_INVALID')
    expect(error.message).to.include('line 2')
  })

  it('refuses what is not zstd for good: another try would not go better', async () => {
    const error = await failure(() => readBack(Buffer.from('no manifest')))
    expect([error.code, error.category]).to.deep.equal(['MANIFEST_INVALID', 'publish'])
  })

  it('stops when it is told to', async () => {
    const bytes = zstd(Buffer.from(encodeManifest({ entries: [] })))
    expect((await failure(() => readBack(bytes, { signal: AbortSignal.abort() }))).code).to.equal('ABORTED')
  })
})

function readBack(
  bytes: Buffer,
  { role = 'ebuild-repo', signal }: { role?: Role; signal?: AbortSignal } = {},
): Promise<Manifest> {
  const file = join(temporary(), 'manifest.zst')
  writeFileSync(file, bytes)
  const pack = { ...packOf(bytes), role, manifest: recordOf('manifest.zst', bytes) }
  return readManifest(file, pack, signal)
}

async function made(role: Role): Promise<{ pack: Pack; manifest: Manifest; bytes: Buffer }> {
  const content = join(temporary(), 'content')
  writeFiles(content, { 'app/one': 'one', 'app/two': noise(300_000) })
  writeFiles(temporary(), { 'out/.keep': '' })
  const output = join(temporary(), 'out')
  const { pack, manifest } = await packDirectory({ name: 'test', role, directory: content, output }, silent)
  return { pack, manifest, bytes: readFileSync(join(output, pack.file)) }
}

function packOf(bytes: Buffer): Pack {
  return { name: 'test', role: 'ebuild-repo', ...recordOf('test.tar.zst', bytes), manifest: recordOf('x', endMark) }
}

function recordOf(file: string, bytes: Buffer) {
  return { file, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

function zstd(bytes: Buffer, options: string[] = []): Buffer {
  return execFileSync('zstd', ['-q', '-c', ...options], { input: bytes, maxBuffer: 2 ** 26 })
}

/** Text that does not compress well, always the same. */
function noise(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return String.fromCharCode(33 + (state % 90))
  }).join('')
}

function stream(bytes: Buffer, size = 65_536): Readable {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return Readable.from(chunks)
}
