import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { KeyConfig } from '../../src/config/keys.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { failure } from '../store/machine.js'
import { closeHome, gpgHome, openHome } from './gpg.js'
import type { GpgHome } from './gpg.js'
import { writeSecret } from './keys.js'

const content = Buffer.from('a package\n')
const PASSPHRASE = 'correct-horse-battery'

describe('a signer with gpg and its agent', () => {
  const directory = temporaryDirectory()
  /** a client's, without secrets */
  const client = gpgHome()
  let home: GpgHome
  beforeEach(() => {
    home = openHome(mkdtempSync(join(tmpdir(), 'gpg-')))
  })
  afterEach(() => {
    closeHome(home)
  })

  const configOf = (more: Partial<KeyConfig> = {}): KeyConfig => {
    const listed = home.run(['--with-colons', '--list-keys'])
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed)![1]!
    const publicFile = join(directory(), 'public.asc')
    writeFileSync(publicFile, home.run(['--armor', '--export', fingerprint]))
    const gpg = { home: home.path }
    return { name: 'main', fingerprint, publicFile, secretFile: undefined, passphraseFile: undefined, gpg, ...more }
  }
  const generate = (passphrase = '', usage = 'sign'): void => {
    const key = ['Example <main@example.org>', 'ed25519', usage, '1d']
    home.run(['--pinentry-mode', 'loopback', '--passphrase', passphrase, '--quick-gen-key', ...key])
  }

  it('makes signatures and signs text, as clients accept it, and equal ones for equal content', async () => {
    generate()
    const config = configOf()
    client().run(['--import', config.publicFile])
    const signer = await openSigner(config, silent)
    async function* pieces(): AsyncIterable<Buffer> {
      yield await Promise.resolve(content.subarray(0, 3))
      yield content.subarray(3)
    }
    const signature = await signer.detached(pieces)
    expect(client().verify(signature, content)).to.include('GOODSIG')
    expect(client().verify(signature, Buffer.from('another'))).to.include('BADSIG')
    await sleep(1100)
    expect((await signer.detached(() => content)).equals(signature)).to.equal(true)
    const signed = join(directory(), 'signed')
    writeFileSync(signed, await signer.clear('- one\ntwo'))
    expect(client().run(['--output', '-', '--decrypt', signed]).trimEnd()).to.equal('- one\ntwo')
  })

  it('signs with the newest subkey whose secret gpg has', async () => {
    generate('', 'cert')
    const { fingerprint } = configOf()
    home.run([
      '--pinentry-mode',
      'loopback',
      '--passphrase',
      '',
      '--quick-add-key',
      fingerprint,
      'ed25519',
      'sign',
      '1d',
    ])
    const config = configOf()
    client().run(['--import', config.publicFile])
    const signer = await openSigner(config, silent)
    expect(signer.signingKey).not.to.equal(signer.fingerprint)
    expect(client().verify(await signer.detached(() => content), content)).to.include('GOODSIG')
  })

  it('gets the passphrase from a file, and no program has it among its arguments', async () => {
    generate(PASSPHRASE)
    const passphraseFile = join(directory(), 'passphrase')
    writeSecret(passphraseFile, `${PASSPHRASE}\n`)
    const config = configOf({ passphraseFile })
    client().run(['--import', config.publicFile])
    const lines = new Set<string>()
    let done = false
    async function* slowly(): AsyncIterable<Buffer> {
      yield content
      for (let look = 0; look < 20; look++) {
        await sleep(5)
        commandLines().forEach((line) => lines.add(line))
      }
      done = true
    }
    const signer = await openSigner(config, silent)
    expect(client().verify(await signer.detached(slowly), content)).to.include('GOODSIG')
    expect(done).to.equal(true)
    expect([...lines].some((line) => line.includes('--detach-sign'))).to.equal(true)
    expect([...lines].filter((line) => line.includes(PASSPHRASE))).to.deep.equal([])
  })

  it('says what gpg said when it cannot sign', async () => {
    generate(PASSPHRASE)
    const passphraseFile = join(directory(), 'passphrase')
    writeSecret(passphraseFile, `not-${PASSPHRASE}`)
    const signer = await openSigner(configOf({ passphraseFile }), silent)
    const error = await failure(signer.detached(() => content))
    expect(error).to.include({ code: 'SIGNING_FAILED' })
    expect(error.message).to.include('Bad passphrase')
    expect(`${error.message}${error.hint}`).not.to.include(PASSPHRASE)
  })

  it('refuses a key whose secret gpg does not have', async () => {
    generate()
    const config = configOf()
    const empty = join(directory(), 'empty')
    mkdirSync(empty, { mode: 0o700 })
    const error = await failure(openSigner({ ...config, gpg: { home: empty } }, silent))
    closeHome(openHome(empty))
    expect(error).to.include({ code: 'SIGNING_KEY_MISSING' })
  })

  it('passes on what reading the content came to', async () => {
    generate()
    const signer = await openSigner(configOf(), silent)
    async function* broken(): AsyncIterable<Buffer> {
      yield await Promise.resolve(content)
      throw new Error('the disk is gone')
    }
    expect((await failure(signer.detached(broken))).message).to.equal('the disk is gone')
  })

  it('stops on request', async () => {
    generate()
    const controller = new AbortController()
    const signer = await openSigner(configOf(), { ...silent, signal: controller.signal })
    async function* endless(): AsyncIterable<Buffer> {
      for (;;) {
        yield content
        await sleep(20)
        controller.abort()
      }
    }
    expect(await failure(signer.detached(endless))).to.include({ code: 'ABORTED' })
  })
})

/** Of all processes of this host. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
}
