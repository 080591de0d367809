import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { formatJobs } from '../../src/jenkins/jobs/document.js'
import { jobsOf } from '../../src/jenkins/jobs/model.js'
import type { JobList } from '../../src/jenkins/jobs/model.js'
import { parseJobXml } from '../../src/jenkins/jobs/parse-xml.js'
import { folderXml, jobXml } from '../../src/jenkins/jobs/xml.js'
import { siteConfig, withPacman } from '../jenkins/site.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { buildWithJobBuilder } from './seed/job-builder.js'
import { runSeed } from './seed/run-seed.js'
import type { SeedRun } from './seed/run-seed.js'
import { treeOf } from './seed/same-xml.js'

const seed = new URL('../../jobs/seed.groovy', import.meta.url).pathname
const inLibrary = new URL('../../resources/treeswap/seed.groovy', import.meta.url).pathname

describe('jobs/seed.groovy under a recorder of Job DSL', function () {
  this.timeout(600_000)
  const directory = temporaryDirectory()
  const list = jobsOf(siteConfig(withPacman))

  async function record(jobs: JobList): Promise<SeedRun> {
    writeFiles(directory(), { 'jobs.json': formatJobs(jobs) })
    const run = await runSeed(seed, directory())
    if ('problem' in run) throw new Error(run.problem)
    return run
  }

  /** What becomes of the seed when `replaced` is changed in it. */
  async function problemWith(replaced: string, by: string): Promise<string> {
    const script = readFileSync(seed, 'utf8')
    expect(script).to.include(replaced)
    writeFiles(directory(), { 'jobs.json': formatJobs(list), 'changed.groovy': script.replace(replaced, by) })
    const run = await runSeed(join(directory(), 'changed.groovy'), directory())
    return 'problem' in run ? run.problem : 'none'
  }

  it('makes, of the same list, the jobs and folders that `treeswap jobs apply` makes', async () => {
    const { items } = await record(list)
    expect(Object.keys(items)).to.have.members([...list.folders, ...list.jobs].map(({ name }) => name))
    for (const job of list.jobs) {
      // Job DSL cannot say that a string is not trimmed, which is Jenkins' default
      const applied = await treeOf(jobXml(job), ({ name, text }) => name === 'trim' && text === 'false')
      expect(await treeOf(items[job.name]!), job.name).to.deep.equal(applied)
    }
    for (const folder of list.folders) {
      const applied = await treeOf(folderXml(folder), ({ name }) => name === 'properties')
      expect(await treeOf(items[folder.name]!), folder.name).to.deep.equal(applied)
    }
  })

  it('needs no approval: besides Job DSL it calls what the sandbox allows by default', async () => {
    const { calls } = await record(list)
    expect(calls).to.have.members([
      'new groovy.json.JsonSlurper',
      'method groovy.json.JsonSlurper parseText java.lang.String',
      'method java.util.Map get java.lang.Object',
      'method java.util.Collection each groovy.lang.Closure',
      'method java.util.Collection join java.lang.String',
      'method java.lang.Comparable compareTo java.lang.Object',
      'method java.lang.Object toString',
    ])
  })

  it('makes what jenkins-job-builder makes of the same jobs', async () => {
    const built = await buildWithJobBuilder(directory(), list.jobs)
    for (const job of list.jobs) {
      const xml = built[job.name]!.replace('&lt;!-- Managed by Jenkins Job Builder --&gt;', '')
      const theirs = await treeOf(xml, ({ name }) => name === 'actions')
      expect(theirs, job.name).to.deep.equal(await treeOf(jobXml(job)))
    }
  })

  it('stands beside a seed job, which the documentation has as Configuration as Code', async () => {
    const documentation = readFileSync(new URL('../../docs/jenkins.md', import.meta.url), 'utf8')
    const [, indented = ''] = /^ {3}```yaml\n( {3}# jenkins.yaml\n[^]*?)^ {3}```$/m.exec(documentation) ?? []
    const { jobs } = parse(indented.replace(/^ {3}/gm, '')) as { jobs: { script: string }[] }
    writeFiles(directory(), { 'casc.groovy': jobs[0]!.script })
    const run = await runSeed(join(directory(), 'casc.groovy'), directory())
    if ('problem' in run) throw new Error(run.problem)
    expect(run.items).to.have.keys('treeswap', 'treeswap/seed')
    const made = await parseJobXml(run.items['treeswap/seed']!, 'treeswap/seed')
    expect(made).to.include({ poll: 'H/15 * * * *', concurrent: false, foreign: null })
    expect(made.script).to.match(/^@Library\('treeswap'\) _\ntreeswapSeed config: \[url: /)
  })

  it('is the script that travels with the library', () => {
    expect(readFileSync(inLibrary, 'utf8')).to.equal(readFileSync(seed, 'utf8'))
  })

  it('refuses a list of another version', async () => {
    writeFiles(directory(), { 'jobs.json': formatJobs(list).replace('"schema": 1', '"schema": 2') })
    expect(await runSeed(seed, directory()))
      .to.have.property('problem')
      .that.includes('different versions')
  })

  describe('the recorder fails', () => {
    it('on a call that Job DSL does not document', async () => {
      expect(await problemWith('quietPeriod(one.quietSeconds)', 'quietTime(one.quietSeconds)')).to.match(
        /MissingMethodException.*quietTime/,
      )
    })

    it('on a documented call in a place where it is not', async () => {
      expect(await problemWith('disableConcurrentBuilds()', 'pollSCM { scmpoll_spec("") }')).to.match(
        /MissingMethodException.*pollSCM/,
      )
    })

    it('on a deprecated call, which would mark a strict seed run', async () => {
      const deprecated = "triggers { scm('H * * * *') }\n        quietPeriod(one.quietSeconds)"
      expect(await problemWith('quietPeriod(one.quietSeconds)', deprecated)).to.include('deprecated since Job DSL 1.77')
    })

    it('on a missing parameter that the class requires', async () => {
      expect(await problemWith("daysToKeepStr('')", '')).to.include('logRotator lacks daysToKeepStr')
    })

    it('on a value of another type', async () => {
      expect(await problemWith('one.keepRecords.toString()', 'one.keepRecords')).to.include('does not take')
    })

    it('on what the sandbox asks an approval for', async () => {
      expect(await problemWith("readFileFromWorkspace('jobs.json')", "new File('jobs.json').text")).to.include(
        'approval of: new java.io.File',
      )
    })
  })
})
