import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Context } from '../../src/model/report.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { ensureSignatures, findSignature } from '../../src/signing/signatures.js'
import type { Signer } from '../../src/signing/signer.js'
import { checkStore } from '../../src/store/check-store.js'
import { derivedName } from '../../src/store/derived.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { compileDriver, needsStrace, runTampered } from '../publish/injection.js'
import { failure } from '../store/machine.js'
import { gpgHome } from './gpg.js'
import { makeKey } from './keys.js'
import { putObject } from './lab.js'

const driverIn = (directory: string): string => compileDriver(directory, join(import.meta.dirname, 'driver.ts'))

describe('signatures of objects', () => {
  const directory = temporaryDirectory()
  const gpg = gpgHome()
  let store: Store
  before(needsStrace)
  beforeEach(() => {
    store = openStore(join(directory(), 'store'), { create: true })
  })
  const signerOf = async (name: string): Promise<Signer> => {
    const { config } = await makeKey(directory(), { name })
    gpg().run(['--import', config.publicFile])
    return await openSigner(config, silent)
  }
  const statusesOf = (signer: Signer, key: string): string[] => {
    const signature = findSignature(store, signer.fingerprint, key)!
    return gpg().verify(readFileSync(store.object(signature.key)), readFileSync(store.object(key)))
  }
  /** a signer that counts what it is asked to sign */
  const counting = (signer: Signer): { signer: Signer; count: () => number } => {
    let count = 0
    const detached: Signer['detached'] = (content) => {
      count++
      return signer.detached(content)
    }
    return { signer: { ...signer, detached }, count: () => count }
  }

  it('are made once, small and large, and accepted by gpg', async () => {
    const { signer, count } = counting(await signerOf('main'))
    const keys = [putObject(store, 'small'), putObject(store, Buffer.alloc(9_000_000, 'large'))]
    const made = await ensureSignatures(store, signer, keys, silent)
    expect([...made.keys()]).to.deep.equal(keys)
    for (const key of keys) {
      expect(statusesOf(signer, key)).to.include('GOODSIG')
      expect(made.get(key)).to.deep.equal(findSignature(store, signer.fingerprint, key))
      expect(statSync(store.object(made.get(key)!.key)).size).to.equal(made.get(key)!.size)
    }
    expect(await ensureSignatures(store, signer, keys, silent)).to.deep.equal(made)
    expect(count()).to.equal(2)
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('of two keys lie beside each other', async () => {
    const [old, next] = [await signerOf('old'), await signerOf('next')]
    const key = putObject(store, 'package')
    await ensureSignatures(store, old, [key], silent)
    await ensureSignatures(store, next, [key], silent)
    expect(statusesOf(old, key)).to.include('GOODSIG')
    expect(statusesOf(next, key)).to.include('GOODSIG')
    expect(findSignature(store, old.fingerprint, key)).not.to.deep.equal(findSignature(store, next.fingerprint, key))
  })

  it('are made anew where they were lost or what leads to them is garbage', async () => {
    const signer = await signerOf('main')
    const [lost, garbage] = [putObject(store, 'lost'), putObject(store, 'garbage')]
    const made = await ensureSignatures(store, signer, [lost, garbage], silent)
    rmSync(store.object(made.get(lost)!.key))
    writeFileSync(store.derived(signer.fingerprint, derivedName(garbage, 'sig')), '{')
    expect(await checkStore(store, silent)).to.have.length(2)
    await ensureSignatures(store, signer, [lost, garbage], silent)
    expect(statusesOf(signer, lost)).to.include('GOODSIG')
    expect(statusesOf(signer, garbage)).to.include('GOODSIG')
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('are made anew when clients no longer accept the subkey that made them', async () => {
    const { config, secretKey } = await makeKey(directory(), { subkeys: [{ sign: true }] })
    const key = putObject(store, 'package')
    const before = await openSigner(config, silent)
    await ensureSignatures(store, before, [key], silent)
    const revoked = await secretKey.subkeys[0]!.revoke(secretKey.keyPacket as never)
    secretKey.subkeys[0] = revoked
    writeFileSync(config.publicFile, secretKey.toPublic().armor())
    gpg().run(['--import', config.publicFile])
    expect(statusesOf(before, key)).to.include('REVKEYSIG')
    const after = await openSigner(config, silent)
    await ensureSignatures(store, after, [key], silent)
    expect(statusesOf(after, key)).to.include('GOODSIG')
  })

  it('are not made of an object that is damaged or lost', async () => {
    const signer = await signerOf('main')
    for (const content of ['small', Buffer.alloc(9_000_000, 'large')]) {
      const key = putObject(store, content)
      const damaged = Buffer.from(content)
      damaged[0] = 0
      writeFileSync(store.object(key), damaged)
      expect(await failure(ensureSignatures(store, signer, [key], silent))).to.include({ code: 'OBJECT_DAMAGED' })
      rmSync(store.object(key))
      expect(await failure(ensureSignatures(store, signer, [key], silent))).to.include({ code: 'OBJECT_DAMAGED' })
      expect(findSignature(store, signer.fingerprint, key)).to.equal(undefined)
    }
  })

  it('are told of as they are made, and stop on request', async () => {
    const signer = await signerOf('main')
    const controller = new AbortController()
    const told: string[] = []
    const context: Context = {
      signal: controller.signal,
      report: {
        ...silent.report,
        step: (text) => told.push(text),
        progress: (done, total) => {
          told.push(`${done}/${total}`)
          if (done === 1) controller.abort()
        },
      },
    }
    const keys = [0, 1, 2].map((number) => putObject(store, `package ${number}`))
    expect(await failure(ensureSignatures(store, signer, keys, context))).to.include({ code: 'ABORTED' })
    expect(told).to.deep.equal([`signing with ${signer.fingerprint}`, '0/3', '1/3'])
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('made by several publishers at a time are good', async () => {
    const signer = await signerOf('main')
    const { config } = await makeKey(directory(), { name: 'other' })
    const keys = Array.from({ length: 12 }, (_, number) => putObject(store, `package ${number}`))
    const signers = [signer, signer, await openSigner(config, silent)]
    await Promise.all(signers.map((one) => ensureSignatures(store, one, keys, silent)))
    for (const key of keys) expect(statusesOf(signer, key)).to.include('GOODSIG')
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('that cannot be made durable are not recorded', async () => {
    const { config } = await makeKey(directory())
    const configFile = join(directory(), 'key.json')
    writeFileSync(configFile, JSON.stringify(config))
    const key = putObject(store, 'package')
    const injection = 'syncfs:error=EIO'
    const { code, output } = await runTampered(driverIn(directory()), injection, [store.root, configFile, key])
    expect([code, output.trim()]).to.deep.equal([1, 'SYNC_FAILED'])
    expect(findSignature(store, config.fingerprint, key)).to.equal(undefined)
    const objects = readdirSync(join(store.root, 'objects'), { recursive: true, encoding: 'utf8' })
    expect(objects.filter((path) => path.includes('/'))).to.deep.equal([`${key.slice(0, 2)}/${key}`])
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  for (const call of ['rename', 'fsync', 'mkdir', 'utimensat']) {
    it(`are whole or not there after kill -9 at any ${call}, and the next signing completes them`, async function () {
      this.timeout(300_000)
      const { config } = await makeKey(directory())
      gpg().run(['--import', config.publicFile])
      const signer = await openSigner(config, silent)
      const configFile = join(directory(), 'key.json')
      writeFileSync(configFile, JSON.stringify(config))
      const driver = driverIn(directory())
      let killed = 0
      for (let when = 1; when <= 12; when++) {
        store = openStore(join(directory(), `store-${when}`), { create: true })
        const keys = [putObject(store, 'one'), putObject(store, 'two')]
        const { code, output } = await runTampered(driver, `${call}:signal=KILL:when=${when}`, [
          store.root,
          configFile,
          ...keys,
        ])
        expect(await checkStore(store, silent)).to.deep.equal([])
        for (const key of keys) {
          if (findSignature(store, signer.fingerprint, key)) expect(statusesOf(signer, key)).to.include('GOODSIG')
        }
        if (code === 0) break
        expect(code, output).to.equal(null)
        killed++
        keys.push(putObject(store, 'three'))
        await ensureSignatures(store, signer, keys, silent)
        for (const key of keys) expect(statusesOf(signer, key)).to.include('GOODSIG')
        expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
      }
      expect(killed).to.be.greaterThan(0)
    })
  }
})
