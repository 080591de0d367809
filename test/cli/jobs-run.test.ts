import type { ChildProcess } from 'node:child_process'
import { expect } from 'chai'
import { fakeJenkins } from '../jenkins/fake-jenkins.js'
import type { FakeBuild } from '../jenkins/fake-items.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { compile, documentOf, treeswap } from './treeswap.js'

const JOB = 'treeswap/publish'

describe('treeswap jobs run', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()
  const fake = fakeJenkins({ users: { treeswap: { token: '11aa22bb', password: 'x' } }, contextPath: '/ci' })
  before(compile)
  beforeEach(() => {
    writeFiles(directory(), { x: '' })
    fake().items.add(JOB, { parameters: ['TREE', 'REFERENCE'] })
  })

  function run(args: string[], watch?: (child: ChildProcess) => void) {
    const env = { JENKINS_URL: fake().url, TREESWAP_JENKINS_USER: 'treeswap', TREESWAP_JENKINS_TOKEN: '11aa22bb' }
    return treeswap(['jobs', 'run', ...args], { cwd: directory(), env, ...(watch && { watch }) })
  }

  /** Begins the build when it is in the queue. */
  async function begin(more: Partial<FakeBuild>): Promise<FakeBuild> {
    await until(() => fake().items.queue.size > 0)
    return fake().items.begin(100, more)
  }

  it('starts it with its parameters, shows why it waits and what it writes, and says how it ended', async () => {
    const ended = run([JOB, '--param', 'TREE=box', '--param', 'REFERENCE=a=b & c'])
    await until(() => fake().requests.some(({ url }) => url.includes('/queue/item/100/')))
    const build = await begin({ log: 'one\r\ntwo' })
    await until(() => fake().requests.some(({ url }) => url.includes('start=8')))
    Object.assign(build, { log: 'one\r\ntwo three\n', building: false, result: 'SUCCESS' })
    const { stdout, stderr, exitCode } = await ended
    expect({ stdout, exitCode }).to.deep.equal({ stdout: `${JOB} #1: SUCCESS\n`, exitCode: 0 })
    expect(stderr).to.match(/quiet period[^]*build 1 of treeswap\/publish[^]* one\n +two three\n/)
    expect(build.parameters).to.deep.equal({ TREE: 'box', REFERENCE: 'a=b & c' })
    expect(stdout + stderr).not.to.include('11aa22bb')
  })

  it('ends with an exit code for each result', async () => {
    const codes: unknown[] = []
    for (const [index, result] of ['UNSTABLE', 'FAILURE', 'ABORTED', 'NOT_BUILT'].entries()) {
      const ended = run([JOB, '--json'])
      await until(() => fake().items.queue.has(100 + index))
      fake().items.begin(100 + index, { building: false, result, log: '' })
      const { exitCode, ...rest } = await ended
      expect(documentOf({ exitCode, ...rest })).to.deep.equal({ schema: 1, job: JOB, number: index + 1, result })
      codes.push(exitCode)
    }
    expect(codes).to.deep.equal([3, 12, 130, 12])
  })

  it('hears SIGTERM while it waits and while it follows, and says that the build goes on', async () => {
    let child: ChildProcess | undefined
    const waits = run([JOB], (one) => (child = one))
    await until(() => fake().requests.some(({ url }) => url.includes('/queue/item/100/')))
    child?.kill('SIGTERM')
    const stopped = await waits
    expect(stopped.exitCode).to.equal(143)
    expect(stopped.stderr).to.match(/stopped on request \[ABORTED\]\n +in Jenkins it goes on/)
    fake().items.queue.clear()
    fake().requests.splice(0)
    const follows = run([JOB], (one) => (child = one))
    await until(() => fake().items.queue.has(101))
    fake().items.begin(101, { log: 'one\n' })
    await until(() => fake().requests.some(({ url }) => url.includes('logText')))
    const at = Date.now()
    child?.kill('SIGTERM')
    const { stderr, exitCode } = await follows
    expect(Date.now() - at).to.be.lessThan(1000)
    expect(exitCode).to.equal(143)
    expect(stderr).to.include(`build 1 of ${JOB} was stopped`)
  })

  it('refuses what the job does not know, before it is started', async () => {
    const cases: [string[], string][] = [
      [['--param', 'TRE=box'], 'PARAMETER_UNKNOWN'],
      [['--param', 'TREE'], 'USAGE'],
      [['--param', 'TREE=a', '--param', 'TREE=b'], 'USAGE'],
    ]
    for (const [args, code] of cases) {
      const ended = await run([JOB, ...args, '--json'])
      expect([documentOf(ended).error?.code, ended.exitCode]).to.deep.equal([code, 10])
    }
    expect(documentOf(await run(['a//b', '--json'])).error?.code).to.equal('JOB_INVALID')
    expect(fake().items.queue.size).to.equal(0)
  })
})

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).to.equal(true)
}
