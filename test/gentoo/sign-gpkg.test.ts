import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type { KeyConfig } from '../../src/config/keys.js'
import type { PackageFile } from '../../src/gentoo/gpkg.js'
import { readContainer } from '../../src/gentoo/gpkg.js'
import { signGpkg } from '../../src/gentoo/sign-gpkg.js'
import { openSigner } from '../../src/signing/open-signer.js'
import type { Signer } from '../../src/signing/signer.js'
import { gpkg, manifestOf } from '../lab/gpkg.js'
import type { GpkgParts } from '../lab/gpkg.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { closeHome, gpgHome, openHome } from '../signing/gpg.js'
import { makeKey } from '../signing/keys.js'
import { failure } from '../store/machine.js'

describe('signing a Gentoo binary package', function () {
  this.timeout(30_000)
  const directory = temporaryDirectory()
  const client = gpgHome()
  let config: KeyConfig
  let signer: Signer

  beforeEach(async () => {
    ;({ config } = await makeKey(join(directory(), 'keys')))
    signer = await openSigner(config, silent)
  })

  const packageFile = (bytes: Buffer, signal = silent.signal): PackageFile => {
    const path = join(directory(), 'given.gpkg.tar')
    writeFileSync(path, bytes)
    return { path, signal, refuse: (why) => new Error(`refused: ${why}`) }
  }
  let count = 0
  const signedPath = (): string => join(directory(), `signed-${++count}.gpkg.tar`)
  const sign = async (parts: GpkgParts = {}, by = signer): Promise<string> => {
    const to = signedPath()
    await signGpkg(packageFile(gpkg(parts)), to, by)
    return to
  }
  const tar = (path: string, ...args: string[]): string =>
    execFileSync('tar', ['-f', path, ...args], { encoding: 'utf8' })

  it('puts a signature behind each file and a signed Manifest of all at the end', async () => {
    const path = await sign()
    expect(tar(path, '-t').trim().split('\n')).to.deep.equal([
      'hello-1-1/gpkg-1',
      'hello-1-1/metadata.tar.zst',
      'hello-1-1/metadata.tar.zst.sig',
      'hello-1-1/image.tar.zst',
      'hello-1-1/image.tar.zst.sig',
      'hello-1-1/Manifest',
    ])
    expect(readFileSync(path).length % 10_240).to.equal(0)
    expect(tar(path, '-xO', 'hello-1-1/image.tar.zst')).to.equal('image')
  })

  it("is what gpg takes: the Manifest, and each file's signature, which is text", async () => {
    const path = await sign()
    client().run(['--import', config.publicFile])
    const place = join(directory(), 'out')
    mkdirSync(place)
    tar(path, '-x', '-C', place)
    for (const name of ['metadata.tar.zst', 'image.tar.zst']) {
      const file = join(place, 'hello-1-1', name)
      const signature = readFileSync(`${file}.sig`)
      expect(signature.toString()).to.match(/^-----BEGIN PGP SIGNATURE-----\n/)
      expect(client().verify(signature, readFileSync(file))).to.include('GOODSIG')
    }
    const said = client().run(['--output', '-', '--decrypt', join(place, 'hello-1-1/Manifest')])
    const names = ['gpkg-1', 'metadata.tar.zst', 'metadata.tar.zst.sig', 'image.tar.zst', 'image.tar.zst.sig']
    const files = names.map((name) => [name, readFileSync(join(place, 'hello-1-1', name), 'utf8')] as const)
    expect(said.trim()).to.equal(manifestOf(Object.fromEntries(files)).trim())
  })

  it('tells size and sums of what it has written', async () => {
    const to = signedPath()
    const made = await signGpkg(packageFile(gpkg()), to, signer)
    const bytes = readFileSync(to)
    const sum = (name: string): string => createHash(name).update(bytes).digest('hex')
    expect(made).to.deep.equal({
      path: to,
      size: bytes.length,
      sha256: sum('sha256'),
      sums: { MD5: sum('md5'), SHA1: sum('sha1') },
    })
  })

  it('gives the same bytes again, and the archived files as they are, headers and padding included', async () => {
    const [one, two] = [readFileSync(await sign()), readFileSync(await sign())]
    expect(one.equals(two)).to.equal(true)
    const first = gpkg().subarray(0, 512 * 5)
    expect(one.subarray(0, 512 * 3).equals(first.subarray(0, 512 * 3))).to.equal(true)
    expect(one.includes(first.subarray(512 * 3))).to.equal(true)
  })

  it('signs anew what somebody has signed already', async () => {
    const before = await sign()
    const other = await openSigner((await makeKey(join(directory(), 'keys'), { name: 'other' })).config, silent)
    const [again, direct] = [signedPath(), await sign({}, other)]
    await signGpkg({ ...packageFile(gpkg()), path: before }, again, other)
    expect(readFileSync(again).equals(readFileSync(direct))).to.equal(true)
  })

  it('keeps long names of directories, as Portage and GNU tar write them', async () => {
    for (const length of [120, 180]) {
      const name = `${'x'.repeat(length)}-1-1`
      expect(tar(await sign({ directory: name }), '-t').split('\n')).to.include(`${name}/image.tar.zst.sig`)
    }
    const place = join(directory(), 'gnu')
    const name = `${'y'.repeat(120)}-1-1`
    mkdirSync(join(place, name), { recursive: true })
    const files = { 'gpkg-1': '', 'metadata.tar': 'm', 'image.tar': 'i' }
    for (const [file, content] of Object.entries({ ...files, Manifest: manifestOf(files) })) {
      writeFileSync(join(place, name, file), content)
    }
    const paths = ['gpkg-1', 'metadata.tar', 'image.tar', 'Manifest'].map((file) => `${name}/${file}`)
    const given = join(directory(), 'gnu.gpkg.tar')
    execFileSync('tar', ['--format=gnu', '-C', place, '-cf', given, ...paths])
    const to = signedPath()
    await signGpkg({ ...packageFile(gpkg()), path: given }, to, signer)
    expect(tar(to, '-t').split('\n')).to.include(`${name}/metadata.tar.sig`)
  })

  it('is done with gpg and its agent as with a file', async () => {
    const home = openHome(mkdtempSync(join(tmpdir(), 'gpg-')))
    try {
      home.run([
        '--pinentry-mode',
        'loopback',
        '--passphrase',
        '',
        '--quick-gen-key',
        'a@example.org',
        'ed25519',
        'sign',
      ])
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(home.run(['--with-colons', '--list-keys']))?.[1] ?? ''
      const publicFile = join(directory(), 'gpg.asc')
      writeFileSync(publicFile, home.run(['--armor', '--export', fingerprint]))
      const [secretFile, passphraseFile] = [undefined, undefined]
      const byGpg = { name: 'gpg', fingerprint, publicFile, secretFile, passphraseFile, gpg: { home: home.path } }
      const path = await sign({}, await openSigner(byGpg, silent))
      client().run(['--import', publicFile])
      const of = (name: string): Buffer => Buffer.from(tar(path, '-xO', `hello-1-1/${name}`))
      expect(client().verify(of('image.tar.zst.sig'), of('image.tar.zst'))).to.include('GOODSIG')
      expect(client().verify(of('metadata.tar.zst.sig'), of('metadata.tar.zst'))).to.include('GOODSIG')
      const manifest = join(directory(), 'Manifest')
      writeFileSync(manifest, of('Manifest'))
      expect(client().run(['--output', '-', '--decrypt', manifest])).to.include('DATA image.tar.zst.sig ')
    } finally {
      closeHome(home)
    }
  })

  const files = { 'gpkg-1': '', 'metadata.tar': 'm', 'image.tar': 'i' }
  const sound = manifestOf(files)
  const refused: [what: string, bytes: () => Buffer, why: string][] = [
    ['is no archive', () => Buffer.from('XPAKPACK'.repeat(200)), 'checksum'],
    ['is empty', () => Buffer.alloc(0), 'cut off'],
    ['is cut off', () => gpkg().subarray(0, 2000), 'cut off'],
    ['has no gpkg-1', () => gpkg({ files: { 'metadata.tar': 'm', 'image.tar': 'i' } }), 'no gpkg-1'],
    ['has no Manifest', () => gpkg({ manifest: null }), 'no Manifest'],
    ['has no image', () => gpkg({ files: { 'gpkg-1': '', 'metadata.tar': 'm' } }), 'no image'],
    [
      'has a file that its Manifest lacks',
      () => gpkg({ files: { ...files, more: '' }, manifest: sound }),
      'lacks more',
    ],
    ['lacks a file', () => gpkg({ files, manifest: sound + manifestOf({ more: '' }) }), 'lacks more'],
    [
      'says another sum',
      () => gpkg({ files, manifest: sound.replace(/SHA512 ./g, 'SHA512 f') }),
      'not what its Manifest',
    ],
    ['says another size', () => gpkg({ files, manifest: sound.replace('image.tar 1', 'image.tar 2') }), 'not what its'],
    ['says no sum', () => gpkg({ files, manifest: sound.replace(/SHA512 \w+ BLAKE2B/g, 'MD5') }), 'not what its'],
    ['has a Manifest of other lines', () => gpkg({ files, manifest: `${sound}RM -rf\n` }), 'none of a Manifest'],
    ['names a file twice', () => gpkg({ files, manifest: sound + manifestOf({ 'image.tar': 'i' }) }), 'twice'],
    ['has a file deeper', () => gpkg({ files: { ...files, 'a/b': '' } }), 'one directory'],
    ['has a path to elsewhere', () => gpkg({ directory: '/etc' }), 'one directory'],
    ['has a path upwards', () => gpkg({ directory: '..' }), 'another name'],
    ['has a name of no package', () => gpkg({ directory: 'hello world' }), 'another name'],
  ]
  for (const [what, bytes, why] of refused) {
    it(`refuses one that ${what}`, async () => {
      const error = await failure(signGpkg(packageFile(bytes()), signedPath(), signer))
      expect(error.message)
        .to.match(/^refused: /)
        .and.to.include(why)
    })
  }

  it('refuses two files of one name, two directories, and links', async () => {
    const one = gpkg({ files, manifest: null })
    const body = one.subarray(0, 512 * 5)
    const rest = gpkg({ files: {}, manifest: sound })
    const other = gpkg({ files: {}, directory: 'other-1-1', manifest: sound })
    const link = Buffer.from(gpkg({ files, manifest: sound }))
    link[156] = '2'.charCodeAt(0)
    link.write(checksum(link), 148, 'latin1')
    for (const [bytes, why] of [
      [Buffer.concat([body, body, rest]), 'twice'],
      [Buffer.concat([body, other]), 'one directory'],
      [link, 'no regular file'],
    ] as const) {
      expect((await failure(signGpkg(packageFile(bytes), signedPath(), signer))).message).to.include(why)
    }
  })

  it('never makes something else of a damaged one than an error or the same files', async () => {
    const whole = gpkg()
    const expected = readFileSync(await sign())
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ flip
        const to = signedPath()
        const done = await signGpkg(packageFile(bytes), to, signer).catch((error: unknown) => error)
        if (done instanceof Error) expect(done.message).to.match(/^refused: /)
        else expect(contents(readFileSync(to))).to.deep.equal(contents(expected))
      }),
      { numRuns: 60 },
    )
  })

  /** File → content, in their order. */
  function contents(bytes: Buffer): [string, string][] {
    const file = packageFile(bytes)
    return readContainer(file).members.map(({ name, content, size }) => [
      name,
      bytes.toString('latin1', content, content + size),
    ])
  }

  it('refuses what was written when it is not what was signed, and stops when it is told to', async () => {
    const other = await openSigner((await makeKey(join(directory(), 'keys'), { name: 'other' })).config, silent)
    const wrong = { ...signer, detached: other.detached.bind(other) }
    expect(await failure(sign({}, wrong))).to.have.property('code', 'SIGNATURE_BAD')
    const unclear = { ...signer, clear: other.clear.bind(other) }
    expect(await failure(sign({}, unclear))).to.have.property('code', 'SIGNATURE_BAD')
    const stopped = signGpkg(packageFile(gpkg(), AbortSignal.abort()), signedPath(), signer)
    expect(await failure(stopped)).to.have.property('code', 'ABORTED')
  })
})

function checksum(block: Buffer): string {
  let sum = 8 * 32
  for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  return `${sum.toString(8).padStart(6, '0')}\0 `
}
