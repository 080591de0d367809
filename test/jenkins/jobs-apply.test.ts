import { expect } from 'chai'
import { openJenkins } from '../../src/jenkins/client.js'
import type { Jenkins } from '../../src/jenkins/client.js'
import { applyJobs } from '../../src/jenkins/jobs/apply.js'
import { jobsOf, OWNED } from '../../src/jenkins/jobs/model.js'
import type { JobList } from '../../src/jenkins/jobs/model.js'
import { planJobs } from '../../src/jenkins/jobs/plan.js'
import { compile, documentOf, treeswap } from '../cli/treeswap.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { answers } from './fake-faults.js'
import { FakeJenkins } from './fake-jenkins.js'
import { siteConfig, siteText } from './site.js'

const ALL = ['repos/gentoo', 'repos/guru', 'machines/database', 'machines/web', 'publish'].map(
  (name) => `treeswap/${name}`,
)

describe('treeswap jobs apply and diff, against a fake of today’s Jenkins', () => {
  let fake: FakeJenkins
  let jenkins: Jenkins
  const list = jobsOf(siteConfig())

  beforeEach(async () => {
    fake = await FakeJenkins.start({ contextPath: '/ci' })
    jenkins = openJenkins({ url: fake.url })
  })
  afterEach(() => fake.stop())

  const apply = (wanted: JobList = list, allowShrink = false) => applyJobs(jenkins, wanted, { ...silent, allowShrink })
  const posts = (): string[] => fake.takeRequests().filter((request) => request.startsWith('POST'))
  const without = (...names: string[]): JobList => ({
    ...list,
    jobs: list.jobs.filter(({ name }) => !names.includes(name)),
  })

  async function codeOf(action: Promise<unknown>): Promise<unknown> {
    return action.then(
      () => 'none',
      (error: unknown) => (error as { code?: string }).code,
    )
  }

  it('makes folders and jobs in an empty Jenkins', async () => {
    await apply()
    expect(fake.items.all().map(({ name }) => name)).to.have.members([
      'treeswap',
      'treeswap/repos',
      'treeswap/machines',
      ...ALL,
    ])
    expect(fake.items.all().filter(({ isFolder }) => isFolder)).to.have.length(3)
  })

  it('changes nothing the second time, although Jenkins wrote everything in its own way', async () => {
    await apply()
    fake.takeRequests()
    const { steps, unchanged } = await apply()
    expect(steps).to.deep.equal([])
    expect(unchanged).to.deep.equal(ALL)
    expect(posts()).to.deep.equal([])
  })

  it('updates what differs and nothing else; diff says it and changes nothing', async () => {
    await apply()
    const item = fake.items.get('treeswap/machines/web')!
    item.xml = item.xml.replace('<quietPeriod>120<', '<quietPeriod>7<')
    fake.takeRequests()
    const { steps } = await planJobs(jenkins, list)
    expect(steps).to.have.length(1)
    expect(steps[0]).to.deep.include({
      kind: 'update',
      job: 'treeswap/machines/web',
      changes: [{ field: 'quietSeconds', from: 7, to: 120 }],
    })
    expect(posts()).to.deep.equal([])
    await apply()
    expect(posts()).to.deep.equal(['POST /ci/job/treeswap/job/machines/job/web/config.xml'])
    expect(item.xml).to.include('<quietPeriod>120<')
  })

  it('disables a job that vanished from the list, once, and enables it when it comes back', async () => {
    await apply()
    await apply(without('machines/web'))
    expect(fake.items.get('treeswap/machines/web')).to.include({ disabled: true })
    fake.takeRequests()
    await apply(without('machines/web'))
    expect(posts()).to.deep.equal([])
    await apply()
    expect(fake.items.get('treeswap/machines/web')).to.include({ disabled: false })
  })

  it('leaves alone what it did not make', async () => {
    fake.items.add('treeswap/seed')
    fake.items.add('treeswap/machines/by-hand')
    await apply()
    await apply(without('machines/web'))
    expect(fake.items.get('treeswap/seed')).to.include({ disabled: false })
    expect(fake.items.get('treeswap/machines/by-hand')).to.include({ disabled: false })
  })

  it('does not overwrite a job of the same name that it did not make', async () => {
    const xml = '<flow-definition><description>mine</description></flow-definition>'
    fake.items.add('treeswap/repos/guru', { xml })
    expect(await codeOf(apply())).to.equal('JOB_FOREIGN')
    expect(posts()).to.deep.equal([])
    fake.items.get('treeswap/repos/guru')!.xml = xml.replace('mine', `mine\n${OWNED}`)
    await apply()
    expect(fake.items.get('treeswap/repos/guru')!.xml).to.include('treeswapRepo')
  })

  it('refuses to disable more than half of the jobs, unless told', async () => {
    await apply()
    fake.takeRequests()
    const few = without('repos/guru', 'machines/web', 'publish')
    expect(await codeOf(apply(few))).to.equal('JOBS_SHRUNK')
    expect(await codeOf(apply(without(...list.jobs.map(({ name }) => name))))).to.equal('JOBS_EMPTY')
    expect(posts()).to.deep.equal([])
    await apply(few, true)
    expect(posts()).to.have.length(3)
  })

  it('goes on where it was interrupted', async () => {
    fake.fail(/POST \/ci\/job\/treeswap\/job\/machines\/createItem/, answers(500))
    expect(await codeOf(apply())).to.equal('JENKINS_FAILED')
    expect(fake.items.get('treeswap/publish')).to.equal(undefined)
    await apply()
    expect((await planJobs(jenkins, list)).unchanged).to.deep.equal(ALL)
  })

  it('makes the folders around a folder', async () => {
    await apply({ ...list, folder: 'infra/builds' })
    expect(fake.items.get('infra/builds/machines/web')).to.be.an('object')
  })

  describe('as commands', () => {
    const directory = temporaryDirectory()
    before(compile)

    const run = (...args: string[]) => {
      const text = siteText.replace('https://ci.example.org/', fake.url)
      writeFiles(directory(), { 'treeswap.yaml': text })
      return treeswap(args, { cwd: directory() })
    }

    it('shows, does, and shows that nothing is left to do', async () => {
      const before = await run('jobs', 'diff')
      expect(before.stdout)
        .to.match(/^create +treeswap\/machines\/database$/m)
        .and.to.match(/^create folder +treeswap$/m)
      const done = await run('jobs', 'apply', '--json')
      expect(documentOf(done)).to.deep.include({ schema: 1, unchanged: [] })
      expect(documentOf(done).steps).to.have.length(8)
      expect((await run('jobs', 'diff')).stdout).to.equal('nothing differs\n')
      expect((await run('jobs', 'apply')).stdout).to.equal('5 as they were\n')
    })

    it('writes jobs.json and refuses to shrink it', async () => {
      expect((await run('jobs', 'render')).stdout).to.equal('jobs.json: 5 jobs\n')
      writeFiles(directory(), {
        'few.yaml': siteText.replace(/ {2}guru:.*\n/, '').replace('[gentoo, guru]', '[gentoo]'),
      })
      const fewer = await treeswap(['jobs', 'render', '--config', 'few.yaml', '--json'], { cwd: directory() })
      expect(documentOf(fewer)).to.include({ before: 5 })
      writeFiles(directory(), { 'none.yaml': siteText.replace(/repos:\n {2}gentoo[^]*/, '') })
      const none = await treeswap(['jobs', 'render', '--config', 'none.yaml', '--json'], { cwd: directory() })
      expect(none.exitCode).to.equal(10)
      expect(documentOf(none).error).to.include({ code: 'JOBS_EMPTY', category: 'configuration' })
    })
  })
})
