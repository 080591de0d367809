import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { readContainer } from '../../src/gentoo/gpkg.js'
import { findSignedPackage } from '../../src/gentoo/signed-packages.js'
import { objectKey, objectMtime } from '../../src/model/object-key.js'
import { parsePackages } from '../../src/model/packages-index.js'
import type { Stanza } from '../../src/model/packages-index.js'
import { parseReference } from '../../src/model/reference.js'
import { check } from '../../src/publish/check.js'
import type { TreeKey } from '../../src/publish/options.js'
import { publish, rollback } from '../../src/publish/publish.js'
import type { Publication, PublishOptions } from '../../src/publish/publish.js'
import { publishedBuild } from '../../src/publish/status.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { gpkg } from '../lab/gpkg.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { gpgHome } from '../signing/gpg.js'
import { makeKey } from '../signing/keys.js'
import { archive, contentOf, failure, sha256 } from '../store/machine.js'

const hello = 'app-misc/hello-1.gpkg.tar'

describe('publishing a signed machine', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  const client = gpgHome()
  let store: Store

  beforeEach(async () => {
    store = openStore(join(directory(), 'store'), { create: true })
    await pulled(1, { 'app-misc/hello': gpkg() })
  })

  async function pulled(number: number, packages: Record<string, Buffer>): Promise<void> {
    const artifacts = join(directory(), 'artifacts')
    await archive(artifacts, number, { packages })
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', number, silent)
  }

  async function key(name = 'main'): Promise<TreeKey> {
    const { config } = await makeKey(join(directory(), 'keys'), { name })
    return { fingerprint: config.fingerprint, open: () => openSigner(config, silent) }
  }

  const put = (number: number, options: PublishOptions = {}): Promise<Publication> =>
    publish(store, 'box', number, { graceSeconds: 86_400, http: 'http://127.0.0.1:1', ...options }, silent)
  const top = (): string => join(store.pointer('box'), '.binpkgs')
  const names = (path: string): string[] =>
    readContainer({ path, signal: silent.signal, refuse: (why) => new Error(why) }).members.map(({ name }) => name)
  const signers = (): string[] => {
    const bytes = readFileSync(join(top(), hello))
    const file = { path: join(top(), hello), signal: silent.signal, refuse: (why: string) => new Error(why) }
    const { members } = readContainer(file)
    const of = (name: string): Buffer => {
      const { content, size } = members.find((member) => member.name === name)!
      return bytes.subarray(content, content + size)
    }
    return client().verify(of('image.tar.zst.sig'), of('image.tar.zst'))
  }
  const stanza = (): Stanza => {
    const index = readFileSync(join(top(), 'Packages'))
    expect(gunzipSync(readFileSync(join(top(), 'Packages.gz'))).equals(index)).to.equal(true)
    return parsePackages(index.toString(), 'test').stanzas[0]!
  }
  /** What an index says of the package agrees with it. */
  const expectIndexed = (): void => {
    const bytes = readFileSync(join(top(), hello))
    const sum = (name: string): string => createHash(name).update(bytes).digest('hex')
    expect(Object.fromEntries(stanza())).to.deep.equal({
      CPV: 'app-misc/hello-1',
      PATH: hello,
      SIZE: String(bytes.length),
      MD5: sum('md5'),
      SHA1: sum('sha1'),
      MTIME: String(objectMtime(sha256(bytes))),
      BUILD_ID: '1',
    })
    expect(Math.floor(statSync(join(top(), hello)).mtimeMs / 1000)).to.equal(objectMtime(sha256(bytes)))
  }

  it('serves signed packages with an index of them, and the public key, under the names that unsigned ones have', async () => {
    await put(1)
    const before = Object.keys(contentOf(store.pointer('box')))
    expectIndexed()
    const signing = await key()
    expect(await put(1, { signing })).to.include({ already: false, serial: 2, signed: signing.fingerprint })
    expectIndexed()
    expect(Object.keys(contentOf(store.pointer('box')))).to.have.members([...before, '.binpkgs/box.gpg'])
    client().run(['--import', join(top(), 'box.gpg')])
    expect(signers()).to.include('GOODSIG')
    expect(publishedBuild(store, 'box')).to.include({ signed: signing.fingerprint })
    expect(readFileSync(store.object(objectKey(sha256(gpkg()), false))).equals(gpkg()), 'what was archived').to.equal(
      true,
    )
    expect(await check(store, silent)).to.deep.equal([])
    expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
  })

  it('is done once: published already, another build with the same package, and without the secret key', async () => {
    const signing = await key()
    await put(1, { signing })
    const locked = { ...signing, open: () => Promise.reject(new Error('nobody was to read the secret key')) }
    expect(await put(1, { signing: locked })).to.include({ already: true, serial: 1 })
    const { ino } = statSync(join(top(), hello))
    await pulled(2, { 'app-misc/hello': gpkg(), 'app-misc/other': gpkg({ directory: 'other-1-1' }) })
    await put(2, { signing })
    expect(statSync(join(top(), hello)).ino).to.equal(ino)
    expect(names(join(top(), 'app-misc/other-1.gpkg.tar'))).to.include('image.tar.zst.sig')
  })

  it('goes to another key and back to none with the next publish of the same build', async () => {
    const [first, second] = [await key('first'), await key('second')]
    client().run(['--import', join(directory(), 'keys/second.asc')])
    await put(1, { signing: first })
    expect(signers()).to.include('NO_PUBKEY')
    expect(await put(1, { signing: second })).to.include({ already: false, serial: 2 })
    expect(signers()).to.include('GOODSIG')
    expectIndexed()
    expect(await failure(put(1)), 'not by mistake').to.have.property('code', 'SIGNING_KEY_MISSING')
    expect(await put(1, { unsigned: true })).to.include({ already: false, serial: 3 })
    expect(readFileSync(join(top(), hello)).equals(gpkg())).to.equal(true)
    expectIndexed()
    expect(existsSync(join(top(), 'box.gpg'))).to.equal(false)
    expect(await put(1)).to.include({ already: true })
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('signs a build that it goes back to with the key of today', async () => {
    const [first, second] = [await key('first'), await key('second')]
    client().run(['--import', join(directory(), 'keys/second.asc')])
    await put(1, { signing: first })
    await pulled(2, { 'app-misc/hello': gpkg({ image: 'newer' }) })
    await put(2, { signing: second })
    await rollback(store, parseReference('box'), { signing: second }, silent)
    expect(publishedBuild(store, 'box')).to.include({ build: 1, signed: second.fingerprint })
    expect(signers()).to.include('GOODSIG')
    expectIndexed()
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('finds what was lost of it, names the builds, and makes it anew', async () => {
    const signing = await key()
    await put(1, { signing })
    await pulled(2, { 'app-misc/hello': gpkg() })
    const archived = objectKey(sha256(gpkg()), false)
    const copy = findSignedPackage(store, signing.fingerprint, archived)!
    const mapping = store.derived(signing.fingerprint, `${archived}.gpkg`)
    const text = readFileSync(mapping, 'utf8')

    writeFileSync(mapping, text.replace(copy.sums.MD5, 'f'.repeat(32)))
    const wrong = await check(store, silent)
    expect(wrong.map(({ kind, path, builds }) => [kind, path, builds])).to.deep.equal([
      ['damaged', `derived/${signing.fingerprint}/${archived}.gpkg`, ['box@1', 'box@2']],
    ])
    writeFileSync(mapping, text)

    rmSync(store.object(copy.key))
    const lost = await check(store, silent)
    expect(lost.map(({ kind, path, builds }) => [kind, path, builds])).to.deep.equal([
      ['missing', `objects/${copy.key.slice(0, 2)}/${copy.key}`, ['box@1', 'box@2']],
      ['damaged', 'published/.generations/box.1', ['box@1']],
    ])
    expect(await put(1, { signing })).to.include({ already: false, serial: 2 })
    expect((await check(store, silent)).filter(({ path }) => !path.includes('box.1'))).to.deep.equal([])

    writeFileSync(store.object(copy.key), 'x'.repeat(copy.size))
    const damaged = await check(store, silent)
    expect(damaged[0]).to.deep.include({ kind: 'damaged', builds: ['box@1', 'box@2'] })
    expect(damaged[0]?.hint).to.include('the next publish')
  })

  for (const [what, bytes, code] of [
    ['no gpkg at all', Buffer.from('hello'), 'GPKG_INVALID'],
    ['cut off', gpkg().subarray(0, 3000), 'GPKG_INVALID'],
    [
      'not what its Manifest says',
      Buffer.from(gpkg().toString('latin1').replace('image', 'imagf'), 'latin1'),
      'GPKG_INVALID',
    ],
  ] as const) {
    it(`leaves clients what they have where a package is ${what}, and names it`, async () => {
      const signing = await key()
      await put(1, { signing })
      await pulled(2, { 'app-misc/hello': bytes })
      const error = await failure(put(2, { signing }))
      expect(error).to.have.property('code', code)
      expect(error.message).to.include(hello).and.to.include('box@2')
      expect(publishedBuild(store, 'box')).to.include({ build: 1, serial: 1 })
      expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
      expect(await put(2, { unsigned: true }), 'unsigned it is not looked at').to.include({ already: false })
    })
  }

  it('leaves clients what they have where the store damaged a package', async () => {
    const object = store.object(objectKey(sha256(gpkg()), false))
    rmSync(object)
    writeFileSync(object, gpkg({ image: 'imagf' }))
    const error = await failure(put(1, { signing: await key() }))
    expect(error).to.have.property('code', 'OBJECT_DAMAGED')
    expect(error.message).to.include(hello)
    expect(existsSync(store.pointer('box'))).to.equal(false)
  })

  it('refuses packages of the old format, saying how to get others', async () => {
    const artifacts = join(directory(), 'artifacts')
    await archive(artifacts, 3, { packages: { 'app-misc/hello': Buffer.from('x') }, suffix: '.xpak' })
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', 3, silent)
    const error = await failure(put(3, { signing: await key() }))
    expect(error).to.have.property('code', 'XPAK_UNSIGNABLE')
    expect(error.hint).to.include('BINPKG_FORMAT=gpkg')
    expect(existsSync(store.pointer('box'))).to.equal(false)
    expect(await put(3)).to.include({ already: false })
  })
})
