import { expect } from 'chai'
import { waitingForRoots } from '../../src/agent/wait-for-root.js'
import type { RootService } from '../../src/chroot/requests.js'
import { codeOf, makeContext, makeLab } from '../chroot/lab.js'
import type { Lab } from '../chroot/lab.js'
import { needsRoot } from '../lab/needs-root.js'

describe('a job whose chroot another job is using', () => {
  let lab: Lab | undefined
  let service: RootService
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    service = lab.service
    await service.create({ name: 'shared', from: { directory: lab.source } }, makeContext())
  })
  after(() => lab?.remove())

  /** Tells what the job says, and calls `heard` as soon as it says something. */
  function listening(heard: () => void) {
    const context = makeContext()
    const steps: string[] = []
    const step = (text: string): void => {
      steps.push(text)
      heard()
    }
    return { ...context, steps, report: { ...context.report, step } }
  }

  it('waits for it, says so once, and then works', async () => {
    const order: string[] = []
    let second = Promise.resolve()
    const context = await service.session('shared', makeContext(), async () => {
      return new Promise<ReturnType<typeof listening>>((resolve) => {
        const waiting = listening(() => resolve(waiting))
        second = waitingForRoots(service, 10).session('shared', waiting, () => {
          order.push('second')
          return Promise.resolve()
        })
      }).finally(() => order.push('first'))
    })
    await second
    expect(order).to.deep.equal(['first', 'second'])
    expect(context.steps).to.deep.equal(['waiting for the chroot shared, which another build is using'])
  })

  it('stops waiting when it is stopped', async () => {
    await service.session('shared', makeContext(), async () => {
      const waiting = listening(() => waiting.abort())
      const use = waitingForRoots(service).session('shared', waiting, () => Promise.resolve())
      expect(await codeOf(use)).to.equal('ABORTED')
    })
  })

  it('does not wait for what waiting does not mend', async () => {
    const use = waitingForRoots(service).session('none', makeContext(), () => Promise.resolve())
    expect(await codeOf(use)).to.equal('CHROOT_MISSING')
  })
})
