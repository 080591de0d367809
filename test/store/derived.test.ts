import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { objectMtime } from '../../src/model/object-key.js'
import { checkStore } from '../../src/store/check-store.js'
import { derivedName, findDerived, placeDerived } from '../../src/store/derived.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { withTreeLock } from '../../src/store/lock.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { putObject } from '../signing/lab.js'
import { sha256 } from './machine.js'

const fingerprint = 'A'.repeat(40)
const digestOf = (name: string, content: string): string => createHash(name).update(content).digest('hex')
const made = { fingerprint, by: 'B'.repeat(40), kind: 'sig' } as const

describe('what is made from objects', () => {
  const directory = temporaryDirectory()
  let store: Store
  beforeEach(() => {
    store = openStore(join(directory(), 'store'), { create: true })
  })

  it('is an object like any other, found by the one that it was made from', async () => {
    const key = putObject(store, 'package')
    const placed = await placeDerived(store, made, new Map([[key, Buffer.from('signature')]]), silent)
    const derived = { key: sha256('signature'), size: 9, by: made.by }
    expect([...placed]).to.deep.equal([[key, derived]])
    expect(findDerived(store, fingerprint, key, 'sig')).to.deep.equal(derived)
    expect(readFileSync(store.object(derived.key), 'utf8')).to.equal('signature')
    expect(statSync(store.object(derived.key)).mtimeMs).to.equal(objectMtime(derived.key) * 1000)
    expect(findDerived(store, fingerprint, key, 'gpkg')).to.equal(undefined)
    expect(findDerived(store, 'C'.repeat(40), key, 'sig')).to.equal(undefined)
    expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('is not found where it was lost, or where what leads to it is garbage; both are named, and made anew', async () => {
    const [lost, cut, garbage] = ['lost', 'cut', 'garbage'].map((content) => putObject(store, content))
    const contents = new Map([lost!, cut!, garbage!].map((key) => [key, Buffer.from(`made of ${key}`)]))
    const placed = await placeDerived(store, made, contents, silent)
    rmSync(store.object(placed.get(lost!)!.key))
    writeFileSync(store.object(placed.get(cut!)!.key), 'cut')
    writeFileSync(store.derived(fingerprint, derivedName(garbage!, 'sig')), '{"schema":1,"object":"../x"}')

    for (const key of contents.keys()) expect(findDerived(store, fingerprint, key, 'sig')).to.equal(undefined)
    const findings = await checkStore(store, silent)
    expect(findings.map(({ kind, path }) => `${kind} ${join(store.root, path)}`)).to.have.members([
      `missing ${store.object(placed.get(lost!)!.key)}`,
      `damaged ${store.object(placed.get(cut!)!.key)}`,
      `damaged ${store.derived(fingerprint, derivedName(garbage!, 'sig'))}`,
    ])
    for (const { hint } of findings) expect(hint).to.include('publish')

    await placeDerived(store, made, contents, silent)
    expect(await checkStore(store, silent)).to.deep.equal([])
    for (const key of contents.keys()) expect(findDerived(store, fingerprint, key, 'sig')).to.not.equal(undefined)
  })

  it('is named by check where a mapping says another size than its object has', async () => {
    const key = putObject(store, 'package')
    await placeDerived(store, made, new Map([[key, Buffer.from('signature')]]), silent)
    const path = store.derived(fingerprint, derivedName(key, 'sig'))
    writeFileSync(path, readFileSync(path, 'utf8').replace('"size":9', '"size":8'))
    expect(findDerived(store, fingerprint, key, 'sig')).to.equal(undefined)
    expect((await checkStore(store, silent)).map(({ path: found }) => join(store.root, found))).to.deep.equal([path])
  })

  it('is not what was made from another object, though its mapping was copied to the place of the right one', async () => {
    const [one, other] = [putObject(store, 'one'), putObject(store, 'other')]
    const contents = new Map([
      [one, Buffer.from('signature 1')],
      [other, Buffer.from('signature 2')],
    ])
    await placeDerived(store, made, contents, silent)
    const path = store.derived(fingerprint, derivedName(one, 'sig'))
    copyFileSync(store.derived(fingerprint, derivedName(other, 'sig')), path)
    expect(findDerived(store, fingerprint, one, 'sig')).to.equal(undefined)
    const findings = await checkStore(store, silent)
    expect(findings.map(({ kind, path: found }) => [kind, join(store.root, found)])).to.deep.equal([['damaged', path]])
    expect(findings[0]?.hint).to.include('the next publish')
    await placeDerived(store, made, new Map([[one, contents.get(one)!]]), silent)
    expect(findDerived(store, fingerprint, one, 'sig')?.key).to.equal(sha256('signature 1'))
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('is no finding where a publish makes it while a check is reading', async () => {
    const key = putObject(store, 'package')
    const file = join(directory(), 'copy')
    writeFileSync(file, 'copy')
    const sums = { MD5: digestOf('md5', 'copy'), SHA1: digestOf('sha1', 'copy') }
    const copy = { path: file, sha256: sha256('copy'), size: 4, sums }
    await placeDerived(store, { ...made, kind: 'gpkg' }, new Map([[key, copy]]), silent)
    const places = [store.object(copy.sha256), store.derived(fingerprint, derivedName(key, 'gpkg'))]
    for (const [index, place] of places.entries()) renameSync(place, join(directory(), `later-${index}`))
    let last = false
    const progress = (done: number, all: number): void => {
      if (last || done < all - 1) return
      last = true
      for (const [index, place] of places.entries()) renameSync(join(directory(), `later-${index}`), place)
    }
    expect(await checkStore(store, { ...silent, report: { ...silent.report, progress } })).to.deep.equal([])
    expect(last).to.equal(true)
    expect(await checkStore(store, silent)).to.deep.equal([])
  })

  it('is taken into the store while a tree that is named like its directory is published', async () => {
    const key = putObject(store, 'package')
    const place = () => placeDerived(store, made, new Map([[key, Buffer.from('signature')]]), silent)
    expect([...(await withTreeLock(store, 'derived', silent.signal, place)).keys()]).to.deep.equal([key])
  })

  it('may be damaged without check taking it for what a build needs', async () => {
    const key = putObject(store, 'package')
    const placed = await placeDerived(store, made, new Map([[key, Buffer.from('signature')]]), silent)
    const object = store.object(placed.get(key)!.key)
    writeFileSync(object, 'signaturf')
    const [finding, ...others] = await checkStore(store, silent)
    expect(others).to.deep.equal([])
    expect(finding).to.include({
      kind: 'damaged',
      hint: 'remove it; the next publish of a tree that needs it makes it anew',
    })
  })

  it('lies among nothing else', async () => {
    const key = putObject(store, 'package')
    await placeDerived(store, made, new Map([[key, Buffer.from('signature')]]), silent)
    writeFileSync(store.derived(fingerprint, 'notes.txt'), '')
    writeFileSync(join(store.root, 'derived/notes'), '')
    expect((await checkStore(store, silent)).map(({ kind, path }) => [kind, path])).to.deep.equal([
      ['foreign', `derived/${fingerprint}/notes.txt`],
      ['foreign', 'derived/notes'],
    ])
  })

  it('may be written by several at a time', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => putObject(store, `package ${index}`))
    const contents = (who: string) => new Map(keys.map((key) => [key, Buffer.from(`${who} ${key}`)]))
    await Promise.all(['a', 'b', 'c'].map((who) => placeDerived(store, made, contents(who), silent)))
    for (const key of keys) {
      const derived = findDerived(store, fingerprint, key, 'sig')!
      expect(readFileSync(store.object(derived.key), 'utf8')).to.match(new RegExp(`^[abc] ${key}$`))
    }
    expect(await checkStore(store, silent)).to.deep.equal([])
  })
})
