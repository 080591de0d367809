import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock, withLock } from '../../src/system/lock.js'
import { temporaryDirectory } from '../lab/temporary.js'

/** Processes that have the lock or wait for it. */
function waitingOn(path: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && openFiles(pid).includes(path))
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`))
  } catch {
    return []
  }
}

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

  it('may be held by several who share it, and keeps away who wants it alone, until the last has left', async () => {
    const shared = <T>(action: () => Promise<T>) => withLock(path(), { what: 'tree database', shared: true }, action)
    const inner = await shared(async () => {
      expect(await shared(() => Promise.resolve('beside'))).to.equal('beside')
      return error(lock(() => Promise.resolve()))
    })
    expect(inner).to.have.property('code', 'LOCKED')
    expect(await lock(() => error(shared(() => Promise.resolve())))).to.have.property('code', 'LOCKED')
    expect(await lock(() => Promise.resolve('free'))).to.equal('free')
  })

  it('leaves those alone who have another plan', async () => {
    const attempt = () => tryLock(path(), { what: 'tree database' }, () => Promise.resolve('held'))
    expect(await lock(attempt)).to.equal(undefined)
    expect(await attempt()).to.deep.equal({ value: 'held' })
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

  it('is not waited for once the wait is stopped', async () => {
    const stop = new AbortController()
    const inner = await lock(async () => {
      const waiting = error(withLock(path(), { what: 'x', wait: 60, signal: stop.signal }, () => Promise.resolve()))
      while (waitingOn(path()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
      stop.abort()
      return waiting
    })
    expect(inner).to.include({ code: 'ABORTED', category: 'aborted' })
    const late = error(withLock(path(), { what: 'x', signal: stop.signal }, () => Promise.resolve()))
    expect(await late).to.have.property('code', 'ABORTED')
  })

  it('is an error at the end when it was lost', async () => {
    const lost = error(
      lock(() => {
        for (const pid of waitingOn(path())) process.kill(pid, 'SIGKILL')
        return Promise.resolve()
      }),
    )
    expect(await lost).to.have.property('code', 'LOCK_LOST')
  })

  it('names what is missing where flock is not installed', async () => {
    const { PATH } = process.env
    process.env.PATH = directory()
    const missing = await error(lock(() => Promise.resolve())).finally(() => (process.env.PATH = PATH))
    expect(missing).to.include({ code: 'PROGRAM_MISSING', category: 'infrastructure' })
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
