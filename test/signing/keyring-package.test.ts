import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { reformatKey, revokeKey } from 'openpgp'
import { keyringPackage } from '../../src/arch/keyring-package.js'
import { storedZstd } from '../../src/arch/stored-zstd.js'
import { needsPacman } from '../lab/host-pacman.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { failure } from '../store/machine.js'
import { vercmp } from './client-root.js'
import { gpgHome } from './gpg.js'
import { makeKey } from './keys.js'
import type { KeyWishes, MadeKey } from './keys.js'

const packager = 'Nobody <nobody@example.org>'

describe('a keyring package', () => {
  const directory = temporaryDirectory()
  const gpg = gpgHome()
  before(needsPacman)
  const make = (name: string, wishes: KeyWishes = {}): Promise<MadeKey> => makeKey(directory(), { name, ...wishes })
  const file = (bytes: Buffer): string => {
    const path = join(directory(), 'keyring.pkg.tar.zst')
    writeFileSync(path, bytes)
    return path
  }
  const output = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' })

  it('is one that pacman reads, under its own name', async () => {
    const { fileName, bytes } = await keyringPackage('box', [(await make('main')).config], [], packager)
    const path = file(bytes)
    const info = output('pacman', '-Qip', path)
    expect(info)
      .to.match(/Name +: box-keyring\n/)
      .and.to.match(/Architecture +: any\n/)
    expect(info)
      .to.match(/Packager +: Nobody <nobody@example.org>\n/)
      .and.to.match(/Install Script +: Yes\n/)
    expect(`${output('pacman', '-Qp', path).trim().replace(' ', '-')}-any.pkg.tar.zst`).to.equal(fileName)
    expect(output('bsdtar', '-tvf', path).replace(/ +/g, ' ')).to.match(/^-rw-r--r-- 0 root root \d+ .* \.PKGINFO\n/)
    expect(output('bsdtar', '-tf', path).split('\n')).to.include.members([
      'usr/share/pacman/keyrings/box.gpg',
      'usr/share/pacman/keyrings/box-trusted',
      'usr/share/pacman/keyrings/box-revoked',
    ])
    execFileSync('zstd', ['-q', '-t', path])
  })

  it('holds the keys, those that are trusted, and those that are not any more', async () => {
    const [main, next, old] = [await make('main'), await make('next'), await make('old')]
    const { bytes } = await keyringPackage('box', [main.config, next.config], [old.config], packager)
    const path = file(bytes)
    const content = (end: string): string => output('bsdtar', '-xOf', path, `usr/share/pacman/keyrings/box${end}`)
    expect(content('-trusted').trim().split('\n').sort()).to.deep.equal(
      [main, next].map(({ config }) => `${config.fingerprint}:4:`).sort(),
    )
    expect(content('-revoked')).to.equal(`${old.config.fingerprint}\n`)
    gpg().run(['--import'], content('.gpg'))
    const listed = gpg().run(['--with-colons', '--list-keys'])
    for (const { config } of [main, next, old]) expect(listed).to.include(`:${config.fingerprint}:`)
    gpg().run(['--import-ownertrust'], content('-trusted'))
  })

  it('has equal bytes for equal keys, whatever their order', async () => {
    const [main, next] = [(await make('main')).config, (await make('next')).config]
    const one = await keyringPackage('box', [main, next], [], packager)
    const other = await keyringPackage('box', [next, main], [], packager)
    expect(other.bytes.equals(one.bytes)).to.equal(true)
    expect(other.fileName).to.equal(one.fileName)
  })

  it('has a higher version after each change of the keys', async () => {
    const main = await make('main', { age: 10 })
    const old = await make('old', { age: 20 })
    const versions: string[] = []
    const note = async (keys: MadeKey[], revoked: MadeKey[]): Promise<void> => {
      const configs = [keys, revoked].map((some) => some.map(({ config }) => config))
      const { version } = await keyringPackage('box', configs[0]!, configs[1]!, packager)
      versions.push(version)
    }
    await note([main], [])
    await note([main, old], [])
    await note([main], [old])
    const renewed = await reformatKey({
      privateKey: main.secretKey,
      userIDs: { name: 'main' },
      date: new Date(Date.now() - 86_400_000),
      keyExpirationTime: 86_400 * 100,
      format: 'armored',
    })
    writeFileSync(main.config.publicFile, renewed.publicKey)
    await note([main], [old])
    await note([main, await make('next', { age: 0 })], [old])
    for (const [index, version] of versions.slice(1).entries()) {
      expect(vercmp(version, versions[index]!), versions.join(' ')).to.equal(1)
    }
  })

  it('has a higher version than one that it has to exceed, where no time tells that something changed', async () => {
    const [main, old] = [(await make('main')).config, (await make('old')).config]
    const before = await keyringPackage('box', [main, old], [], packager)
    const plain = await keyringPackage('box', [main], [], packager)
    expect(vercmp(plain.version, before.version)).to.equal(-1)
    const after = await keyringPackage('box', [main], [], packager, before.version)
    expect(vercmp(after.version, before.version)).to.equal(1)
    expect(output('pacman', '-Qp', file(after.bytes)).trim()).to.equal(`box-keyring ${after.version}`)
    expect(after.fingerprint).to.equal(plain.fingerprint).and.not.to.equal(before.fingerprint)
    const next = (await make('next', { age: 0 })).config
    const newer = await keyringPackage('box', [main, next], [], packager, after.version)
    expect(newer.version).to.equal((await keyringPackage('box', [main, next], [], packager)).version)
  })

  it('refuses to have clients trust a revoked key, whose public file may say so', async () => {
    const { config, secretKey } = await make('main')
    writeFileSync(config.publicFile, (await revokeKey({ key: secretKey, format: 'armored' })).publicKey)
    expect(await failure(keyringPackage('box', [config], [], packager))).to.include({ code: 'KEY_REVOKED' })
    expect((await keyringPackage('box', [], [config], packager)).bytes.length).to.be.greaterThan(0)
  })

  it('never holds a secret key', async () => {
    const { config } = await make('main')
    const keys = [{ ...config, publicFile: config.secretFile! }]
    expect(await failure(keyringPackage('box', keys, [], packager))).to.include({ code: 'KEY_INVALID' })
  })
})

describe('a stored zstd frame', () => {
  for (const length of [0, 1, 131_072, 131_073, 400_000]) {
    it(`of ${length} bytes is read by zstd`, () => {
      const content = Buffer.alloc(length, 'some content')
      const read = execFileSync('zstd', ['-d', '-q', '-c'], { input: storedZstd(content) })
      expect(read.equals(content)).to.equal(true)
    })
  }
})
