import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { withLock } from '../../src/system/lock.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('a lock', () => {
  const directory = temporaryDirectory()
  const path = () => join(directory(), 'locks/tree.lock')
  const lock = <T>(action: () => Promise<T>, wait = 0) => withLock(path(), { what: 'tree database', wait }, action)
  const error = (promise: Promise<unknown>) => promise.catch((caught: unknown) => caught)

  it('keeps others out while it is held, and is free afterwards', async () => {
    const inner = await lock(() => error(lock(() => Promise.resolve())))
    expect(inner).to.include({ code: 'LOCKED', category: 'infrastructure' })
    expect(await lock(() => Promise.resolve('free'))).to.equal('free')
  })

  it('is free after an error', async () => {
    expect(await error(lock(() => Promise.reject(new Error('inside'))))).to.have.property('message', 'inside')
    expect(await lock(() => Promise.resolve('free'))).to.equal('free')
  })

  it('is waited for', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((holds) => {
      void lock(() => {
        holds()
        return new Promise<void>((resolve) => (release = resolve))
      })
    })
    await held
    const second = lock(() => Promise.resolve('second'), 10)
    release()
    expect(await second).to.equal('second')
  })

  it('is free when its holder was killed', async () => {
    const holder = spawn(
      process.execPath,
      ['--no-warnings', '--loader', 'ts-node/esm', 'test/system/lock-holder.ts', path()],
      { env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' }, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(holder.stdout, 'data')
    expect(await error(lock(() => Promise.resolve()))).to.have.property('code', 'LOCKED')
    holder.kill('SIGKILL')
    expect(await lock(() => Promise.resolve('free'), 10)).to.equal('free')
  })
})
