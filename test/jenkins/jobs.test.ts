import { expect } from 'chai'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readXml, textAt } from '../../src/jenkins/jobs/element.js'
import { formatJobs, parseJobs } from '../../src/jenkins/jobs/document.js'
import { jobsOf } from '../../src/jenkins/jobs/model.js'
import type { JobModel } from '../../src/jenkins/jobs/model.js'
import { parseJobXml } from '../../src/jenkins/jobs/parse-xml.js'
import { compare } from '../../src/jenkins/jobs/plan.js'
import { renderJobs } from '../../src/jenkins/jobs/render.js'
import { jobXml } from '../../src/jenkins/jobs/xml.js'
import { TreeswapError } from '../../src/model/errors.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { siteConfig, withPacman } from './site.js'

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof TreeswapError) return error.code
    throw error
  }
  return 'none'
}

const withoutWeb = (text: string): string => text.replace(/ {2}web:[^]*/, '')
const withoutJobs = (text: string): string => text.replace(/repos:\n {2}gentoo[^]*/, '')

function job(name: string): JobModel {
  return jobsOf(siteConfig()).jobs.find((one) => one.name === name)!
}

describe('jobs of a configuration', () => {
  it('has one per ebuild repo, one per machine, and one for operators', () => {
    const { folder, folders, jobs } = jobsOf(siteConfig())
    expect(folder).to.equal('treeswap')
    expect(folders.map(({ name }) => name)).to.deep.equal(['repos', 'machines'])
    expect(jobs.map(({ name }) => name)).to.deep.equal([
      'repos/gentoo',
      'repos/guru',
      'machines/database',
      'machines/web',
      'publish',
    ])
  })

  it('polls the main ebuild repo a few times a day, others and profiles more often, or only when notified', () => {
    expect(['repos/gentoo', 'repos/guru', 'machines/database', 'machines/web', 'publish'].map((name) => job(name).poll)) //
      .to.deep.equal(['H H/6 * * *', 'H/15 * * * *', 'H/15 * * * *', '', null])
  })

  it('runs a machine after each of its ebuild repos, whichever folder they lie in', () => {
    expect(job('machines/database').upstream).to.deep.equal(['/treeswap/repos/gentoo', '/treeswap/repos/guru'])
    const elsewhere = jobsOf(siteConfig((text) => text.replace('jenkins:', 'jenkins:\n  folder: infra/builds')))
    expect(elsewhere.jobs.find(({ name }) => name === 'machines/web')?.upstream).to.deep.equal([
      '/infra/builds/repos/gentoo',
    ])
  })

  it('keeps few artifacts, and logs for longer', () => {
    expect(job('repos/gentoo')).to.include({ keepArtifacts: 7, keepRecords: 50, quietSeconds: 60 })
  })

  it('calls a step of the library with what must be known before the configuration is read', () => {
    const config = `config: [url: 'https://git.example.org/site.git', branch: 'it\\'s&new', credentials: 'git-read', path: 'my site/treeswap.yaml']`
    const common = `credentials: 'treeswap-read', timeout: 90, ${config}`
    expect(job('repos/gentoo').script).to.equal(
      `@Library('treeswap') _\ntreeswapRepo repo: 'gentoo', agent: 'treeswap', ${common}\n`,
    )
    expect(job('machines/database').script).to.equal(
      `@Library('treeswap') _\ntreeswapMachine machine: 'database', repos: ['gentoo', 'guru'], agent: 'treeswap', publisher: 'publisher', ${common}\n`,
    )
    expect(job('machines/web').script).to.include("repos: ['gentoo'], agent: 'treeswap', publish: false, credentials")
  })

  it('gives steps only options that they have', () => {
    const over = `publish-over: { host: h, host-key: ssh-ed25519 AAAA, credentials: key }\n  keep-builds`
    const both = [siteConfig(withPacman), siteConfig((text) => text.replace('keep-builds', over))]
    const calls = both.flatMap((config) => jobsOf(config).jobs.flatMap(({ script }) => callsIn(script)))
    expect(new Set(calls.map(({ step }) => step))).to.have.keys(
      'treeswapRepo',
      'treeswapMachine',
      'treeswapPackages',
      'treeswapPoll',
      'treeswapPublish',
      'treeswapRollback',
    )
    for (const { step, options } of calls) {
      const source = readFileSync(new URL(`../../vars/${step}.groovy`, import.meta.url), 'utf8')
      const known = /treeswapOptions '\w+', options, \[([^\]]*)\]/.exec(source)?.[1]?.match(/\w+/g)
      expect(known, step).to.include.members(options)
    }
  })

  it('publishes over SSH where the configuration says so', () => {
    const over = `publish-over: { host: pkgs.example.org, host-key: ssh-ed25519 AAAA, credentials: key }`
    const { jobs } = jobsOf(siteConfig((text) => text.replace('  keep-builds', `  ${over}\n  keep-builds`)))
    const expected = `publishOver: [host: 'pkgs.example.org', port: 22, user: 'treeswap', hostKey: 'ssh-ed25519 AAAA', credentials: 'key']`
    expect(jobs.find(({ name }) => name === 'machines/database')?.script).to.include(expected)
    expect(jobs.at(-1)?.script.split(`agent: 'treeswap', ${expected}`)).to.have.length(3)
  })

  describe('with pacman repos', () => {
    const { folders, jobs } = jobsOf(siteConfig(withPacman))
    const named = (name: string): JobModel => jobs.find((one) => one.name === name)!

    it('has two for each: one that looks by the clock, and one that builds when that has found something', () => {
      expect(folders.map(({ name }) => name)).to.include.members(['polls', 'packages'])
      expect(jobs.slice(4, -1).map(({ name }) => name)).to.deep.equal([
        ...['polls/instant', 'packages/instant', 'polls/quiet', 'packages/quiet'],
      ])
      expect(named('packages/instant')).to.include({ poll: null, timer: null, quietSeconds: 60, keepArtifacts: 7 })
      expect(named('packages/instant').upstream).to.deep.equal(['/treeswap/polls/instant'])
      expect(named('polls/instant')).to.include({ poll: null, timer: 'H/15 * * * *\nH/5 * * * *' })
      expect(named('polls/instant').upstream).to.deep.equal([])
    })

    it('starts by no clock those whose sources have no schedule', () => {
      expect(named('polls/quiet').timer).to.equal(null)
      expect(jobXml(named('polls/quiet'))).not.to.include('Trigger')
    })

    it('gives the key that signs to the step that publishes, by its id', () => {
      expect(named('polls/instant').script).to.match(/\ntreeswapPoll repo: 'instant', agent: 'treeswap', credentials: /)
      expect(named('packages/instant').script).to.match(
        /\ntreeswapPackages repo: 'instant', agent: 'treeswap', publisher: 'publisher', signing: 'release-key', passphrase: 'release-phrase', credentials: /,
      )
      expect(named('packages/quiet').script).to.match(/repo: 'quiet', agent: 'treeswap', publish: false, credentials: /)
    })

    it('gives it to that of a machine, too', () => {
      const sign = (text: string): string =>
        withPacman(text.replace('  database:\n', '  database:\n    sign: release\n'))
      const { jobs: signed } = jobsOf(siteConfig(sign))
      const script = (name: string): string => signed.find((one) => one.name === name)?.script ?? ''
      expect(script('machines/database')).to.include("signing: 'release-key', passphrase: 'release-phrase'")
      expect(script('machines/web')).not.to.include('signing')
      const keys = "signing: ['database': 'release-key', 'instant': 'release-key'].get(params.TREE)"
      expect(script('publish').split(keys)).to.have.length(3)
    })

    it('lets operators publish them, too, each with its own key', () => {
      const { parameters, script } = named('publish')
      expect(parameters[0]).to.deep.include({ name: 'TREE', choices: ['database', 'web', 'instant', 'quiet'] })
      expect(script.split("signing: ['instant': 'release-key'].get(params.TREE)")).to.have.length(3)
      expect(script.split("passphrase: ['instant': 'release-phrase'].get(params.TREE)")).to.have.length(3)
    })

    it('refuses a key that would have to travel over SSH', () => {
      const over = `publish-over: { host: h, host-key: ssh-ed25519 AAAA, credentials: key }\n  keep-builds`
      const config = siteConfig((text) => withPacman(text.replace('keep-builds', over)))
      expect(codeOf(() => jobsOf(config))).to.equal('SIGNING_OVER_SSH')
    })

    it('is a list that one without timers can be compared with', () => {
      const list = jobsOf(siteConfig())
      const old = formatJobs(list).replaceAll(/ *"timer": null,\n/g, '')
      expect(old).not.to.include('timer')
      expect(parseJobs(old, 'jobs.json')).to.deep.equal(list)
    })
  })

  it('asks for the repository that holds the configuration', () => {
    const without = siteConfig((text) => text.replace(/ {2}config:.*\n/, ''))
    expect(codeOf(() => jobsOf(without))).to.equal('JENKINS_NOT_CONFIGURED')
  })
})

describe('treeswap jobs render', () => {
  const directory = temporaryDirectory()
  const out = (): string => join(directory(), 'jobs.json')

  it('writes what can be read again', () => {
    const { list, before } = renderJobs(siteConfig(), { out: out() })
    expect(before).to.equal(undefined)
    expect(parseJobs(readFileSync(out(), 'utf8'), out())).to.deep.equal(list)
    expect(renderJobs(siteConfig(), { out: out() }).before).to.equal(5)
  })

  it('refuses an empty list, and writes nothing', () => {
    expect(codeOf(() => renderJobs(siteConfig(withoutJobs), { out: out() }))).to.equal('JOBS_EMPTY')
    expect(existsSync(out())).to.equal(false)
  })

  it('refuses to lose more than half of the jobs, and writes nothing', () => {
    const many = (text: string): string =>
      text.replace('machines:\n', `machines:\n${['a', 'b', 'c', 'd'].map((name) => machine(name)).join('')}`)
    renderJobs(siteConfig(many), { out: out() })
    const before = readFileSync(out(), 'utf8')
    const few = siteConfig((text) => withoutWeb(text))
    expect(codeOf(() => renderJobs(few, { out: out() }))).to.equal('JOBS_SHRUNK')
    expect(readFileSync(out(), 'utf8')).to.equal(before)
    const other = join(directory(), 'other.json')
    expect(codeOf(() => renderJobs(few, { out: other, previous: out() }))).to.equal('JOBS_SHRUNK')
    expect(renderJobs(few, { out: out(), allowShrink: true }).list.jobs).to.have.length(4)
  })

  it('refuses to lose them to as many others', () => {
    renderJobs(siteConfig(), { out: out() })
    const renamed = siteConfig((text) => text.replace(/\b(database|web):/g, '$1-2:').replace(/gentoo|guru/g, 'x$&'))
    expect(codeOf(() => renderJobs(renamed, { out: out() }))).to.equal('JOBS_SHRUNK')
    expect(renderJobs(renamed, { out: out(), allowShrink: true }).list.jobs).to.have.length(5)
  })

  it('refuses to compare with a list that is damaged or missing', () => {
    writeFileSync(out(), '{"schema": 1')
    expect(codeOf(() => renderJobs(siteConfig(), { out: out() }))).to.equal('JOBS_INVALID')
    expect(codeOf(() => renderJobs(siteConfig(), { previous: join(directory(), 'none') }))).to.equal('JOBS_MISSING')
  })

  it('refuses a list that Jenkins could misread', () => {
    const list = jobsOf(siteConfig())
    const renamed = (name: string): unknown => formatJobs({ ...list, jobs: [{ ...list.jobs[0]!, name }] })
    for (const name of ['../seed', 'a b', 'repos//x', "x'y", ''])
      expect(codeOf(() => renamed(name))).to.equal('JOBS_INVALID')
    expect(codeOf(() => formatJobs({ ...list, jobs: [list.jobs[0]!, list.jobs[0]!] }))).to.equal('JOBS_INVALID')
  })
})

describe('config.xml of a job', () => {
  it('says all that the model says', async () => {
    for (const model of jobsOf(siteConfig(withPacman)).jobs) {
      expect(compare(await parseJobXml(jobXml(model), model.name), model), model.name).to.deep.equal([])
    }
  })

  it('is XML whatever is in names and texts', async () => {
    const awkward = {
      ...job('publish'),
      description: 'a <b> & "c" ]]> \u{1F600}\n\n\ttabbed',
      script: "x = '<&>' // ]]>\n",
    }
    const root = await readXml(jobXml(awkward), 'it')
    expect(textAt(root, 'description')).to.equal(awkward.description)
    expect(textAt(root, 'definition', 'script')).to.equal(awkward.script)
  })

  it('names each field that differs', async () => {
    const model = job('machines/database')
    const parsed = await parseJobXml(
      jobXml({ ...model, poll: null, timer: 'H * * * *', upstream: [], quietSeconds: 5 })
        .replace('<disabled>false', '<disabled>true')
        .replace('<sandbox>true', '<sandbox>false')
        .replace(/<org.*DisableConcurrentBuildsJobProperty\/>/, ''),
      'it',
    )
    expect(compare(parsed, model).map(({ field }) => field)).to.have.members([
      'poll',
      'timer',
      'upstream',
      'quietSeconds',
      'disabled',
      'concurrent',
      'definition',
    ])
  })

  it('differs where what all jobs have in common was changed', async () => {
    const model = job('machines/database')
    for (const [from, to] of [
      ['<artifactDaysToKeep>-1', '<artifactDaysToKeep>1'],
      ['<daysToKeep>-1', '<daysToKeep>7'],
      ['<name>SUCCESS', '<name>FAILURE'],
    ] as const) {
      const parsed = await parseJobXml(jobXml(model).replace(from, to), 'it')
      expect(
        compare(parsed, model).map(({ field }) => field),
        to,
      ).to.deep.equal(['settings'])
    }
  })

  it('is not taken for one of ours when it is of another kind', async () => {
    const parsed = await parseJobXml('<project><description>x</description></project>', 'it')
    expect(compare(parsed, job('repos/gentoo')).map(({ field }) => field)).to.include.members(['definition', 'script'])
  })

  it('is an error with a code where it is no XML', async () => {
    for (const text of ['', '<a><b></a>', 'login please']) {
      const error: unknown = await parseJobXml(text, 'config.xml of x').catch((caught: unknown) => caught)
      expect(error).to.include({ code: 'XML_INVALID' })
    }
  })

  it('expands no entities', async () => {
    const bomb = '<!DOCTYPE a [<!ENTITY x "xxxx"><!ENTITY f SYSTEM "file:///etc/passwd">]><a><b>&x;&f;</b></a>'
    const result = await readXml(bomb, 'it').catch((error: unknown) => error)
    expect(JSON.stringify(result)).to.not.match(/xxxx|root:/)
  })
})

/** Steps that a script calls, with the names of their options. */
function callsIn(script: string): { step: string; options: string[] }[] {
  return [...script.matchAll(/^ *(treeswap\w+) (.*)$/gm)].map(([, step = '', options = '']) => {
    const flat = options.replace(/'(\\.|[^'\\])*'/g, "''").replace(/\[[^\]]*\]/g, '[]')
    return { step, options: [...flat.matchAll(/(\w+): /g)].map(([, name = '']) => name) }
  })
}

function machine(name: string): string {
  return `  ${name}: { profile: { url: 'https://git.example.org/m.git', path: ${name} }, repos: [gentoo] }\n`
}
