import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseReference } from '../../src/model/reference.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { resolveReference } from '../../src/store/references.js'
import { readState, writeState } from '../../src/store/state.js'
import { temporaryDirectory } from '../lab/temporary.js'

const at = '2026-01-01T00:00:00.000Z'

/** A store in which the builds were published in turn, as far as references and state can see. */
function storeWith(root: string, builds: number[], published: number[]): Store {
  const store = openStore(root, { create: true })
  for (const number of builds) mkdirSync(store.build('box', number), { recursive: true })
  for (const [index, build] of published.entries()) putGeneration(store, index + 1, build)
  if (published.length > 0) symlinkSync(`.generations/box.${published.length}`, store.pointer('box'))
  return store
}

function putGeneration(store: Store, serial: number, build: number): void {
  mkdirSync(store.generation('box', serial))
  const marker = { schema: 1, tree: 'box', serial, build, at, stamps: { x: { time: serial } }, index: {} }
  writeFileSync(join(store.generation('box', serial), '.treeswap.json'), JSON.stringify(marker))
}

describe('a reference', () => {
  const root = temporaryDirectory()
  const resolve = (store: Store, text: string): number =>
    resolveReference(store, parseReference(text), { kind: 'latest' })

  it('names a build by number, place or tag', () => {
    const store = storeWith(root(), [1, 2, 10], [1, 2])
    writeState(store, { ...readState(store, 'box'), tags: { stable: 1 } })
    expect(
      ['box', 'box@2', 'box@latest', 'box@published', 'box@-1', 'box@stable'].map((text) => resolve(store, text)),
    ).to.deep.equal([10, 2, 10, 2, 1, 1])
  })

  it('takes @-1 to mean what clients had before, also after a rollback and a second publish of one build', () => {
    const store = storeWith(root(), [1, 2, 3], [1, 3, 2, 2])
    expect(resolve(store, 'box@-1')).to.equal(3)
  })

  for (const [text, code, hint] of [
    ['box@7', 'BUILD_UNKNOWN', 'it has 1, 2'],
    ['bax', 'TREE_UNKNOWN', 'did you mean box'],
    ['elsewhere', 'TREE_UNKNOWN', 'it has builds of box'],
    ['box@stabel', 'TAG_UNKNOWN', 'did you mean stable'],
    ['box@-1', 'NO_PREVIOUS', 'the store has 1, 2'],
  ] as const) {
    it(`that leads nowhere (${text}) says what there is`, () => {
      const store = storeWith(root(), [1, 2], [1])
      writeState(store, { ...readState(store, 'box'), tags: { stable: 1 } })
      expect(() => resolve(store, text))
        .to.throw()
        .with.property('code', code)
      expect(() => resolve(store, text))
        .to.throw()
        .with.property('hint')
        .that.contains(hint)
    })
  }

  it('into a store without builds says how one comes there', () => {
    expect(() => resolve(storeWith(root(), [], []), 'box@-1'))
      .to.throw()
      .with.property('hint')
      .that.matches(/publish a build first, or bring one: `treeswap pull box@N/)
  })

  it('to what is published says so where nothing is', () => {
    expect(() => resolve(storeWith(root(), [1], []), 'box@published'))
      .to.throw()
      .with.property('code', 'NOT_PUBLISHED')
  })
})

describe('the state of a tree', () => {
  const root = temporaryDirectory()

  it('follows the pointer where a publish was killed before it could be noted', () => {
    const store = storeWith(root(), [1, 2], [1, 2])
    writeState(store, { ...readState(store, 'box'), serial: 2, stamps: {}, history: [{ serial: 1, build: 1, at }] })
    const state = readState(store, 'box')
    expect(state.history.map(({ build }) => build)).to.deep.equal([1, 2])
    expect(state.stamps).to.deep.equal({ x: { time: 2 } })
  })

  it('does not count what lies beyond the pointer as published, but never gives its serial again', () => {
    const store = storeWith(root(), [1, 2], [1])
    putGeneration(store, 5, 2)
    mkdirSync(join(root(), 'published/.generations/.box.7.partial'))
    const state = readState(store, 'box')
    expect(state.history.map(({ serial }) => serial)).to.deep.equal([1])
    expect(state.serial).to.equal(7)
  })

  it('is told from the generations where its file was lost', () => {
    const store = storeWith(root(), [1, 2], [1, 2, 1])
    expect(readState(store, 'box')).to.deep.include({ serial: 3, stamps: { x: { time: 3 } }, tags: {} })
    expect(readState(store, 'box').history.map(({ build }) => build)).to.deep.equal([1, 2, 1])
  })

  it('knows the latest stamp that was ever given, also beyond the pointer', () => {
    const store = storeWith(root(), [1, 2], [1])
    putGeneration(store, 5, 2)
    writeState(store, { ...readState(store, 'box'), stamps: { x: { time: 3 }, y: { time: 7 } } })
    expect(readState(store, 'box').stamps).to.deep.equal({ x: { time: 5 }, y: { time: 7 } })
    rmSync(store.state('box'))
    rmSync(store.pointer('box'))
    expect(readState(store, 'box').stamps).to.deep.equal({ x: { time: 5 } })
  })

  it('of a tree is not mixed up with that of a tree whose name begins alike', () => {
    const store = storeWith(root(), [1], [1])
    mkdirSync(store.generation('box.1', 9))
    expect(readState(store, 'box').serial).to.equal(1)
    expect(readState(store, 'box.1').serial).to.equal(9)
  })

  for (const [what, text, code] of [
    ['damaged', '{"schema":1,"tree":', 'STATE_INVALID'],
    ['from a newer version', '{"schema":2}', 'STATE_TOO_NEW'],
  ] as const) {
    it(`that is ${what} is an error that names the file`, () => {
      const store = storeWith(root(), [1], [1])
      writeFileSync(store.state('box'), text)
      expect(() => readState(store, 'box'))
        .to.throw(store.state('box'))
        .with.property('code', code)
    })
  }
})

describe('a store', () => {
  const root = temporaryDirectory()

  it('that is not there is an error that says why', () => {
    expect(() => openStore(join(root(), 'nowhere')))
      .to.throw('does not exist')
      .with.property('code', 'STORE_MISSING')
    expect(() => openStore(root())).to.throw('it holds no store')
  })

  it('of a newer version is left alone', () => {
    writeFileSync(join(root(), 'store.json'), '{"schema":2}')
    expect(() => openStore(root(), { create: true }))
      .to.throw()
      .with.property('code', 'STORE_TOO_NEW')
  })
})
