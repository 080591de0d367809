import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { reformatKey, revokeKey } from 'openpgp'
import type { KeyConfig } from '../../src/config/keys.js'
import type { Context } from '../../src/model/report.js'
import { keyParts } from '../../src/signing/key-parts.js'
import { openSigner } from '../../src/signing/open-signer.js'
import type { Signer } from '../../src/signing/signer.js'
import { run } from '../../src/system/process.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { failure } from '../store/machine.js'
import { gpgHome } from './gpg.js'
import { makeKey, writeSecret } from './keys.js'
import type { KeyWishes } from './keys.js'

const content = Buffer.from('a package\n')
const large = Buffer.alloc(12_000_000, 'large ')

async function* pieces(bytes: Buffer, length = 700_001): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield await Promise.resolve(bytes.subarray(at, at + length))
}

describe('a signer with a key from a file', () => {
  const directory = temporaryDirectory()
  const gpg = gpgHome()
  const make = (wishes: KeyWishes = {}) => makeKey(directory(), wishes)
  const open = (config: KeyConfig, context: Context = silent): Promise<Signer> => openSigner(config, context)
  const refusal = (config: KeyConfig) => failure(openSigner(config, silent))
  const trust = ({ publicFile }: KeyConfig): string => gpg().run(['--import', publicFile])

  const kinds: Record<string, KeyWishes> = {
    'an Ed25519 key': {},
    'an RSA key': { type: 'rsa' },
    'a P-256 key': { type: 'p256' },
    'a subkey for signing': { subkeys: [{ sign: true }] },
  }
  for (const [kind, wishes] of Object.entries(kinds)) {
    it(`makes signatures with ${kind} that gpg accepts, and accepts for no other content`, async () => {
      const { config } = await make(wishes)
      trust(config)
      const signer = await open(config)
      expect(signer.signingKey !== config.fingerprint).to.equal(wishes.subkeys !== undefined)
      const signature = await signer.detached(() => content)
      expect(gpg().verify(signature, content)).to.include('GOODSIG')
      expect(gpg().verify(signature, Buffer.concat([content, content]))).to.include('BADSIG')
      expect(gpg().verify(await signer.detached(() => pieces(large)), large)).to.include('GOODSIG')
    })
  }

  it('makes binary signatures, as pacman wants them', async () => {
    const { config } = await make()
    const signature = await (await open(config)).detached(() => content)
    expect(signature.toString('latin1')).not.to.include('BEGIN')
    expect(signature[0]! >> 2).to.be.oneOf([0x88 >> 2, 0xc2 >> 2])
    expect(signature.length).to.be.lessThan(16_384)
  })

  for (const type of ['ecc', 'rsa'] as const) {
    it(`gives equal signatures for equal content, however it comes, with ${type} keys`, async () => {
      const { config } = await make({ type })
      const one = await (await open(config)).detached(() => content)
      const other = await (await open(config)).detached(() => pieces(content, 3))
      expect(other.equals(one)).to.equal(true)
      expect((await (await open(config)).detached(() => large)).equals(one)).to.equal(false)
    })
  }

  it('dates signatures to when the key came into force', async () => {
    const { config, publicKey } = await make({ age: 40 })
    trust(config)
    const signature = await (await open(config)).detached(() => content)
    writeFileSync(join(directory(), 'signature'), signature)
    const packets = gpg().run(['--list-packets', join(directory(), 'signature')])
    expect(packets).to.include(`created ${publicKey.getCreationTime().getTime() / 1000}`)
  })

  it('needs no secret of the primary key where a subkey signs', async () => {
    const { config } = await make({ subkeys: [{ sign: true }] })
    trust(config)
    gpg().run(['--import', config.secretFile!])
    writeSecret(config.secretFile!, gpg().run(['--armor', '--export-secret-subkeys', config.fingerprint]))
    const signature = await (await open(config)).detached(() => content)
    expect(gpg().verify(signature, content)).to.include('GOODSIG')
  })

  it('opens a key with its passphrase from a file', async () => {
    const { config } = await make({ passphrase: 'correct horse' })
    trust(config)
    const passphraseFile = join(directory(), 'passphrase')
    writeSecret(passphraseFile, 'correct horse\n')
    const signature = await (await open({ ...config, passphraseFile })).detached(() => content)
    expect(gpg().verify(signature, content)).to.include('GOODSIG')
  })

  it('refuses a locked key without its passphrase, or with another, which it does not tell', async () => {
    const { config } = await make({ passphrase: 'correct horse' })
    expect(await refusal(config)).to.include({ code: 'PASSPHRASE_MISSING' })
    const passphraseFile = join(directory(), 'passphrase')
    writeSecret(passphraseFile, 'wrong horse\n')
    const error = await refusal({ ...config, passphraseFile })
    expect(error).to.include({ code: 'PASSPHRASE_WRONG' })
    expect(`${error.message}${error.hint}${String(error.cause)}`).not.to.include('horse')
  })

  it('refuses files with secrets that everybody may read', async () => {
    const { config } = await make({ passphrase: 'correct horse' })
    const passphraseFile = join(directory(), 'passphrase')
    writeSecret(passphraseFile, 'correct horse')
    chmodSync(passphraseFile, 0o644)
    expect(await refusal({ ...config, passphraseFile })).to.include({ code: 'KEY_EXPOSED' })
    chmodSync(passphraseFile, 0o640)
    chmodSync(config.secretFile!, 0o604)
    expect(await refusal({ ...config, passphraseFile })).to.include({ code: 'KEY_EXPOSED' })
    chmodSync(config.secretFile!, 0o640)
    await open({ ...config, passphraseFile })
  })

  it('refuses another key than the configured one', async () => {
    const { config } = await make()
    const other = await make({ name: 'other' })
    expect(await refusal({ ...config, secretFile: other.config.secretFile })).to.include({ code: 'KEY_DIFFERENT' })
    expect(await refusal({ ...config, publicFile: other.config.publicFile })).to.include({ code: 'KEY_DIFFERENT' })
  })

  it('refuses an expired key', async () => {
    const { config } = await make({ age: 10, days: 9 })
    expect(await refusal(config)).to.include({ code: 'KEY_EXPIRED' })
  })

  it('says of a key whose subkey for signing has expired that it has, and how it goes on', async () => {
    const passphrase = ['--passphrase', '', '--pinentry-mode', 'loopback', '--faked-system-time', '20200101T000000']
    gpg().run([...passphrase, '--quick-gen-key', 'old@example.org', 'ed25519', 'cert', 'never'])
    const [, fingerprint = ''] =
      /^fpr:+([0-9A-F]{40}):/m.exec(gpg().run(['--with-colons', '-k', 'old@example.org'])) ?? []
    gpg().run([...passphrase, '--quick-add-key', fingerprint, 'ed25519', 'sign', '3d'])
    const publicFile = join(directory(), 'old.asc')
    writeFileSync(publicFile, gpg().run(['--armor', '--export', fingerprint]))
    const { config } = await make()
    const error = await refusal({ ...config, fingerprint, publicFile })
    expect(error).to.include({ code: 'KEY_EXPIRED' })
    expect(error.message).to.include('2020-01-04')
    expect(error.hint).to.include("'*'")
  })

  it('finds its key among others, in a file of one armored block after the other', async () => {
    const [{ config }, other] = [await make(), await make({ name: 'other' })]
    const joined = (name: string, files: readonly string[]): string => {
      const path = join(directory(), name)
      writeSecret(path, files.map((file) => readFileSync(file, 'utf8')).join('\n'))
      return path
    }
    const publicFile = joined('both.asc', [other.config.publicFile, config.publicFile])
    const secretFile = joined('both.key', [other.config.secretFile!, config.secretFile!])
    trust(config)
    const signature = await (await open({ ...config, publicFile, secretFile })).detached(() => content)
    expect(gpg().verify(signature, content)).to.include('GOODSIG')
    expect([...(await keyParts(readFileSync(publicFile))).keys()]).to.have.members([
      config.fingerprint,
      other.config.fingerprint,
    ])
  })

  it('signs with a key whose public file says that it was renewed', async () => {
    const { config, secretKey } = await make({ age: 10, days: 9 })
    const { publicKey } = await reformatKey({
      privateKey: secretKey,
      userIDs: { name: 'main', email: 'main@example.org' },
      date: new Date(Date.now() - 86_400_000),
      keyExpirationTime: 100 * 86_400,
      format: 'armored',
    })
    writeFileSync(config.publicFile, publicKey)
    trust(config)
    const signature = await (await open(config)).detached(() => content)
    expect(gpg().verify(signature, content)).to.include('GOODSIG').and.to.include('VALIDSIG')
  })

  it('refuses a revoked key, whether its public file says so or its secret one', async () => {
    const { config, secretKey } = await make()
    const revoked = await revokeKey({ key: secretKey, format: 'armored' })
    const publicFile = join(directory(), 'revoked.asc')
    writeFileSync(publicFile, revoked.publicKey)
    expect(await refusal({ ...config, publicFile })).to.include({ code: 'KEY_REVOKED' })
    writeSecret(config.secretFile!, revoked.privateKey)
    expect(await refusal(config)).to.include({ code: 'KEY_REVOKED' })
  })

  it("refuses kinds of keys that clients' gpg does not know", async () => {
    const { config } = await make({ type: 'curve25519' })
    expect(await refusal(config)).to.include({ code: 'KEY_UNSUPPORTED' })
  })

  it('refuses a secret key whose public file does not let it sign', async () => {
    const { config } = await make({ subkeys: [{ sign: true }] })
    gpg().run(['--import', config.secretFile!])
    writeSecret(config.secretFile!, gpg().run(['--armor', '--export-secret-subkeys', config.fingerprint]))
    const noSubkey = ['--export-filter', 'drop-subkey=key_created > 0']
    writeFileSync(config.publicFile, gpg().run(['--armor', ...noSubkey, '--export', config.fingerprint]))
    expect(await refusal(config)).to.include({ code: 'KEY_CANNOT_SIGN' })
  })

  it('refuses files that hold no key, and what is no file', async () => {
    const { config } = await make()
    const secretFile = join(directory(), 'nonsense')
    writeSecret(secretFile, 'hunter2')
    const error = await refusal({ ...config, secretFile })
    expect(error).to.include({ code: 'KEY_INVALID' })
    expect(`${error.message}${error.hint}${String(error.cause)}`).not.to.include('hunter2')
    rmSync(secretFile)
    const missing = await refusal({ ...config, secretFile })
    expect(missing).to.include({
      code: 'KEY_UNREADABLE',
      message: `${secretFile} cannot be read: there is no such file`,
    })
    expect(await refusal({ ...config, secretFile: directory() })).to.include({ code: 'KEY_UNREADABLE' })
    expect(await refusal({ ...config, secretFile: undefined })).to.include({ code: 'SIGNING_KEY_MISSING' })
  })

  it('refuses a public file with a secret key in it, which clients would get', async () => {
    const { config } = await make()
    expect(await refusal({ ...config, publicFile: config.secretFile! })).to.include({ code: 'KEY_INVALID' })
  })

  it('warns of a key that expires within 30 days, and says when', async () => {
    const warnings: string[] = []
    const context: Context = { ...silent, report: { ...silent.report, warn: (text) => warnings.push(text) } }
    const soon = await open((await make({ age: 10, days: 39 })).config, context)
    const [warning] = warnings
    expect(warning).to.include(soon.fingerprint).and.to.include(soon.expires!.toISOString().slice(0, 10))
    await open((await make({ age: 10, days: 41 })).config, context)
    expect((await open((await make()).config, context)).expires).to.equal(undefined)
    expect(warnings).to.have.length(1)
  })

  it('passes on what reading the content came to', async () => {
    const { config } = await make()
    const signer = await open(config)
    async function* broken(): AsyncIterable<Buffer> {
      yield await Promise.resolve(content)
      throw new Error('the disk is gone')
    }
    expect((await failure(signer.detached(broken))).message).to.equal('the disk is gone')
    let readings = 0
    const secondTime = (): AsyncIterable<Buffer> => (++readings === 1 ? pieces(content) : broken())
    expect((await failure(signer.detached(secondTime))).message).to.equal('the disk is gone')
  })

  it('notices content that changes while it is signed', async () => {
    const { config } = await make()
    const signer = await open(config)
    let readings = 0
    const error = await failure(signer.detached(() => Buffer.from(`reading ${++readings}`)))
    expect(error).to.include({ code: 'SIGNATURE_BAD' })
    await signer.clear('sound')
  })

  it('signs text in the clear, as gpg reads it', async () => {
    const { config } = await make()
    trust(config)
    const signer = await open(config)
    for (const text of [
      'DATA a 1 SHA512 00\nDATA b 2 SHA512 11',
      '- dashes\n--- here\n\nand blanks  \t\nend\n',
      'ü\r\nö',
    ]) {
      const signed = await signer.clear(text)
      const path = join(directory(), 'signed')
      writeFileSync(path, signed)
      const read = gpg().run(['--output', '-', '--decrypt', path])
      const expected = text.replace(/[ \t]+$/gm, '').replaceAll('\r\n', '\n')
      expect(read.trimEnd()).to.equal(expected.trimEnd())
      expect(signed).to.match(/^-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n/)
      writeFileSync(path, signed.replace(/[ab]/, 'x'))
      if (/[ab]/.test(text)) expect(() => gpg().run(['--output', '-', '--decrypt', path])).to.throw()
    }
  })

  describe('named by the environment', () => {
    afterEach(async () => {
      for (const name of ['TREESWAP_SIGNING_KEY', 'TREESWAP_SIGNING_PASSPHRASE']) process.env[name] = ''
      await openSigner({} as KeyConfig, silent).catch(() => undefined)
    })

    it('goes before what is configured, and no program that is started sees it', async () => {
      const { config } = await make({ passphrase: 'correct horse' })
      process.env.TREESWAP_SIGNING_KEY = config.secretFile
      process.env.TREESWAP_SIGNING_PASSPHRASE = 'correct horse'
      const signer = await open({ ...config, secretFile: '/nowhere', passphraseFile: '/nowhere' })
      await signer.detached(() => content)
      expect(await run('env', []))
        .not.to.include('horse')
        .and.not.to.include('TREESWAP_SIGNING')
      expect(process.env).not.to.have.property('TREESWAP_SIGNING_PASSPHRASE')
    })

    it('is taken for that key alone: others sign with what is configured for them', async () => {
      const [named, other] = [
        await make({ name: 'named', passphrase: 'correct horse' }),
        await make({ name: 'other', passphrase: 'battery staple' }),
      ]
      const passphraseFile = join(directory(), 'passphrase')
      writeSecret(passphraseFile, 'battery staple\n')
      process.env.TREESWAP_SIGNING_KEY = named.config.secretFile
      process.env.TREESWAP_SIGNING_PASSPHRASE = 'correct horse'
      const signers = [
        await open({ ...named.config, secretFile: undefined }),
        await open({ ...other.config, passphraseFile }),
      ]
      expect(signers.map(({ fingerprint }) => fingerprint)).to.deep.equal([
        named.config.fingerprint,
        other.config.fingerprint,
      ])
      for (const signer of signers) await signer.detached(() => content)
    })

    it('has to be the configured key where nothing else is known of that one', async () => {
      const { config } = await make()
      const other = await make({ name: 'other' })
      process.env.TREESWAP_SIGNING_KEY = other.config.secretFile
      const error = await refusal({ ...config, secretFile: undefined })
      expect(error).to.include({ code: 'KEY_DIFFERENT' })
      for (const word of [config.fingerprint, other.config.fingerprint, 'TREESWAP_SIGNING_KEY', 'keys.main.secret']) {
        expect(`${error.message} ${error.hint}`).to.include(word)
      }
    })

    it('has to be readable: a key of the file system does not stand in for it', async () => {
      const { config } = await make()
      process.env.TREESWAP_SIGNING_KEY = '/nowhere'
      expect(await refusal(config)).to.include({ code: 'KEY_UNREADABLE' })
    })
  })

  it('gives the public key as clients get it', async () => {
    const { config } = await make()
    const { publicKey, fingerprint } = await open(config)
    writeFileSync(join(directory(), 'binary'), publicKey)
    const shown = gpg().run(['--with-colons', '--show-keys', join(directory(), 'binary')])
    expect(shown).to.include(fingerprint)
    expect(readFileSync(config.publicFile, 'utf8')).to.include('BEGIN PGP PUBLIC')
  })
})
