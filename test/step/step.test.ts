import { expect } from 'chai'
import { readFileSync, readdirSync } from 'node:fs'
import { parseStepRequest } from '../../src/step/request.js'
import { runStep } from '../../src/step/step.js'
import { failure } from '../artifact/collect.js'
import { makeContext } from '../chroot/lab.js'
import { siteConfig } from '../jenkins/site.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('the step that renders jobs', () => {
  const directory = temporaryDirectory()
  const before = process.cwd()
  beforeEach(() => process.chdir(directory()))
  afterEach(() => process.chdir(before))

  const render = (job: string, folder = 'treeswap') =>
    runStep(
      siteConfig((text) => text.replace('jenkins:', `jenkins:\n  folder: ${folder}`)),
      parseStepRequest(JSON.stringify({ schema: 1, job, number: '1', step: 'render-jobs' })),
      makeContext(),
    )

  it('writes them where its job lies in their folder', async () => {
    for (const folder of ['treeswap', 'infra/builds']) {
      expect(await render(`${folder}/seed`, folder)).to.deep.include({ artifacts: ['jobs.json'] })
      expect(JSON.parse(readFileSync('jobs.json', 'utf8'))).to.include({ folder })
    }
  })

  it('refuses a job in another folder, whose jobs would wait for some that are not there', async () => {
    const told: Record<string, string> = {
      seed: 'move this job to treeswap/seed',
      'infra/seed': 'move this job to treeswap/seed, or write jenkins: { folder: infra }',
      'treeswap/seeds/all': 'move this job to treeswap/all, or write jenkins: { folder: treeswap/seeds }',
    }
    for (const [job, hint] of Object.entries(told)) {
      const error = await failure(() => render(job))
      expect(error, job).to.include({ code: 'JOBS_FOLDER', category: 'configuration', hint })
      expect(error.message).to.contain(job).and.to.contain('treeswap')
    }
    expect(readdirSync('.')).to.deep.equal([])
  })
})
