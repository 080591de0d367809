import { expect } from 'chai'
import { openJenkins } from '../../src/jenkins/client.js'
import type { Jenkins } from '../../src/jenkins/client.js'
import { followConsole, readConsole } from '../../src/jenkins/console.js'
import { trigger, waitForEnd, waitForStart } from '../../src/jenkins/queue.js'
import { failure } from '../artifact/collect.js'
import { answers, redirects } from './fake-faults.js'
import { fakeJenkins } from './fake-jenkins.js'

const JOB = 'treeswap/publish'
const quick = { timeout: 5000, interval: 5 }

describe('a build that is asked for', () => {
  const fake = fakeJenkins({ users: { treeswap: { token: '11aa22bb', password: 'x' } } })
  const jenkins = (): Jenkins => openJenkins({ url: fake().url, user: 'treeswap', token: '11aa22bb' })
  beforeEach(() => fake().items.add(JOB))

  it('is followed from the queue to its number and its result', async () => {
    const triggered = await trigger(jenkins(), JOB)
    expect(triggered).to.deep.equal({ job: JOB, queueId: 100, atLeast: 1 })
    const started = waitForStart(jenkins(), triggered, quick)
    const build = fake().items.begin(100)
    expect(await started).to.equal(1)
    const ended = waitForEnd(jenkins(), JOB, 1, quick)
    Object.assign(build, { building: false, result: 'ABORTED' })
    expect(await ended).to.equal('ABORTED')
  })

  it('has the parameters that were given, and is the one that waits already where they are the same', async () => {
    fake().items.add(JOB, { parameters: ['TREE'] })
    const parameters = { TREE: 'a&b=c é' }
    expect((await failure(() => trigger(jenkins(), JOB, { TRE: 'x' }))).hint).to.equal('did you mean TREE?')
    const first = await trigger(jenkins(), JOB, parameters)
    expect((await trigger(jenkins(), JOB, parameters)).queueId).to.equal(first.queueId)
    expect((await trigger(jenkins(), JOB, { TREE: 'other' })).queueId).not.to.equal(first.queueId)
    expect(fake().items.begin(100).parameters).to.deep.equal(parameters)
    expect((await trigger(jenkins(), JOB)).queueId, 'with their defaults').to.equal(102)
  })

  it('is found by its queue id where the queue has forgotten it, and by its number where there is no id', async () => {
    const triggered = await trigger(jenkins(), JOB)
    fake().items.begin(100)
    fake().items.addBuild(JOB, { number: 2, queueId: 101 })
    fake().items.queue.clear()
    expect(await waitForStart(jenkins(), triggered, quick)).to.equal(1)
    fake().fail(/POST/, redirects('/job/treeswap/job/publish/'))
    const unnamed = await trigger(jenkins(), JOB)
    expect(unnamed).to.deep.equal({ job: JOB, queueId: undefined, atLeast: 3 })
    fake().items.addBuild(JOB)
    expect(await waitForStart(jenkins(), unnamed, quick)).to.equal(3)
  })

  it('says why it does not begin or was refused', async () => {
    const triggered = await trigger(jenkins(), JOB)
    const late = await failure(() => waitForStart(jenkins(), triggered, { timeout: 20, interval: 5 }))
    expect([late.code, late.message.includes('quiet period')]).to.deep.equal(['QUEUE_TIMEOUT', true])
    fake().items.queue.get(100)!.cancelled = true
    expect((await failure(() => waitForStart(jenkins(), triggered, quick))).code).to.equal('QUEUE_CANCELLED')
    expect((await failure(() => trigger(jenkins(), JOB, { TREE: 'x' }))).hint).to.equal('it has none')
    fake().items.get(JOB)!.disabled = true
    expect((await failure(() => trigger(jenkins(), JOB))).code).to.equal('JENKINS_REFUSED')
    expect((await failure(() => trigger(jenkins(), 'gone'))).code).to.equal('JENKINS_NOT_FOUND')
    fake().items.addBuild(JOB, { number: 9, building: true })
    expect((await failure(() => waitForEnd(jenkins(), JOB, 9, { timeout: 10, interval: 5 }))).code).to.equal(
      'BUILD_TIMEOUT',
    )
  })

  it('is stopped waiting for on request', async () => {
    const triggered = await trigger(jenkins(), JOB)
    const controller = new AbortController()
    const waiting = failure(() => waitForStart(jenkins(), triggered, { timeout: 60_000, signal: controller.signal }))
    controller.abort()
    expect((await waiting).code).to.equal('ABORTED')
  })
})

describe("a build's console", () => {
  const fake = fakeJenkins()
  const jenkins = (): Jenkins => openJenkins({ url: fake().url })

  it('is read from a byte on', async () => {
    fake().items.addBuild(JOB, { log: 'é one\ntwo\n', building: true })
    expect(await readConsole(jenkins(), JOB, 1, 0)).to.deep.equal({ text: 'é one\ntwo\n', next: 11, more: true })
    expect(await readConsole(jenkins(), JOB, 1, 7)).to.deep.equal({ text: 'two\n', next: 11, more: true })
    fake().fail(/logText/, answers(200, { 'content-type': 'text/plain' }, 'x'))
    expect((await failure(() => readConsole(jenkins(), JOB, 1, 0))).code).to.equal('JENKINS_ANSWER')
  })

  it('is followed line by line until the build ends', async () => {
    const build = fake().items.addBuild(JOB, { log: 'one\r\ntw', building: true, result: null })
    const lines: string[] = []
    const followed = followConsole(jenkins(), JOB, 1, (line) => lines.push(line), { interval: 5 })
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    Object.assign(build, { log: 'one\r\ntwo\nthree', building: false, result: 'SUCCESS' })
    await followed
    expect(lines).to.deep.equal(['one', 'two', 'three'])
  })
})
