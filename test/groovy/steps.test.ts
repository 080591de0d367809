import { expect } from 'chai'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commitAll } from '../lab/commit-all.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { makeLibrary } from './library.js'
import { runPipeline } from './run-pipeline.js'
import type { Pipeline, PipelineResult } from './run-pipeline.js'

/** A runner that answers with what its request says under `answer`, and shows what it was given. */
const echoing = `
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
const [, , command, request, , result] = process.argv
const { answer = { status: 'ok' }, ...asked } = JSON.parse(readFileSync(request, 'utf8'))
console.log(command, JSON.stringify(asked), process.env.TREESWAP_JENKINS_USER, process.env.TREESWAP_JENKINS_TOKEN)
if (answer === 'crash') process.exit(70)
mkdirSync('artifact', { recursive: true })
writeFileSync('artifact/build.json', '{}')
writeFileSync('packages.xml', '<testsuite/>')
writeFileSync(result, JSON.stringify({ schema: 1, ...answer }))
process.exit(answer.status === 'failed' ? 12 : answer.status === 'unstable' ? 3 : 0)
`

describe('the step treeswap', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()
  const workspace = (): string => join(directory(), 'workspace')

  function run(script: string, more: Partial<Pipeline> = {}): Promise<PipelineResult> {
    return runPipeline(directory(), {
      script: `@Library('treeswap') _\n${script}`,
      job: 'treeswap/machines/database',
      number: 7,
      agents: { any: { workspace: workspace() } },
      library: makeLibrary(join(directory(), 'library'), echoing),
      ...more,
    })
  }

  it('gives the runner job, number and request, and its result to the build', async () => {
    const { result, description, archived, console, reports } = await run(
      `node('any') {
      def name = 'base'
      def values = treeswap([step: 'x', target: "\${name}-1", list: ['a', null], answer: [status: 'ok', description: 'two packages',
        artifacts: ['artifact/*'], junit: 'packages.xml', values: [list: ['x', [y: 1]]]]], [credentials: 'reader'])
      sh 'true'
      echo "got \${values.list[1].y}"
    }`,
      { credentials: { reader: { username: 'reader', password: 'secret-token' } } },
    )
    expect(result).to.equal('SUCCESS')
    expect(description).to.equal('two packages')
    expect(archived).to.deep.equal(['artifact/build.json'])
    expect(reports).to.deep.equal([])
    expect(console).to.include('got 1')
    expect(console).to.include(
      'step {"schema":1,"job":"treeswap/machines/database","number":"7","step":"x","target":"base-1","list":["a",null]} reader ****',
    )
  })

  it('gives test reports to junit where the job says that it is there', async () => {
    const answer = "answer: [status: 'ok', junit: 'packages.xml']"
    const { reports } = await run(`node('any') { treeswap step: 'x', junit: true, ${answer} }`, { plugins: ['junit'] })
    expect(reports).to.deep.equal(['packages.xml'])
  })

  it('turns a failure into an error with its category, after it has archived what there is', async () => {
    const { result, error, description, archived, console } = await run(`node('any') {
      treeswap step: 'x', answer: [status: 'failed', category: 'build', message: 'a/b failed', hint: 'mend it', artifacts: ['artifact/*'], description: 'PACKAGE_FAILED']
      echo 'never'
    }`)
    expect(result).to.equal('FAILURE')
    expect(error).to.contain('build: a/b failed – mend it')
    expect(description).to.equal('PACKAGE_FAILED')
    expect(archived).to.deep.equal(['artifact/build.json'])
    expect(console).not.to.include('never')
  })

  it('is unstable where part of the work is done', async () => {
    const { result, console } = await run(
      `node('any') { treeswap step: 'x', answer: [status: 'unstable', message: 'c failed']; echo 'on' }`,
    )
    expect(result).to.equal('UNSTABLE')
    expect(console).to.include('on')
  })

  it('says so where the runner wrote no result', async () => {
    const { error } = await run("node('any') { treeswap step: 'x', answer: 'crash' }")
    expect(error).to.contain('infrastructure: the runner ended with exit code 70')
  })

  it('takes no result of an earlier call for that of one that could not be started', async () => {
    const { result, error } = await run(`node('any') {
      treeswap step: 'x', answer: [status: 'ok']
      def place = "\${pwd(tmp: true)}/treeswap"
      treeswapResult("\${place}/result.json", -2, false)
    }`)
    expect(result).to.equal('FAILURE')
    expect(error).to.contain('infrastructure: the runner ended with exit code -2')
  })

  it('unpacks the runner once, and another version in its place', async () => {
    const twice = "node('any') { 2.times { treeswap step: 'x', answer: [status: 'ok'] } }"
    expect((await run(twice)).steps.filter((step) => step === 'writeFile')).to.have.length(3)
    expect((await run(twice)).steps.filter((step) => step === 'writeFile')).to.have.length(2)
    await run(twice, { library: makeLibrary(join(directory(), 'other'), `${echoing}\n`) })
    expect(readdirSync(`${workspace()}@tmp/treeswap`).filter((name) => name.length === 64)).to.have.length(1)
  })

  it('does not run what was changed on the agent', async () => {
    const once = "node('any') { treeswap step: 'x', answer: [status: 'ok'] }"
    await run(once)
    const [sum = ''] = readdirSync(`${workspace()}@tmp/treeswap`).filter((name) => name.length === 64)
    writeFileSync(`${workspace()}@tmp/treeswap/${sum}/treeswap.mjs`, 'console.log("foreign")')
    const { error, console } = await run(once)
    expect(error).to.contain('infrastructure:')
    expect(console.join('\n')).to.contain('is damaged, and was removed').and.not.to.contain('foreign')
    expect((await run(once)).result).to.equal('SUCCESS')
  })

  it('runs a preinstalled runner where the agent names one', async () => {
    const runner = join(directory(), 'installed.mjs')
    writeFileSync(runner, echoing)
    const agents = { any: { workspace: workspace(), environment: { TREESWAP_RUNNER: runner } } }
    const { result, steps } = await run("node('any') { treeswap step: 'x', answer: [status: 'ok'] }", { agents })
    expect(result).to.equal('SUCCESS')
    expect(steps.filter((step) => step === 'writeFile')).to.have.length(1)
    expect(existsSync(`${workspace()}@tmp/treeswap/request.json`)).to.equal(true)
  })

  describe('on an agent', () => {
    const script = "node('any') { treeswap step: 'x', answer: [status: 'ok'] }"

    /** A PATH with the programs of the system and a node of its own. */
    function agentWith(node: string | undefined): Pipeline['agents'] {
      const bin = join(directory(), 'bin')
      mkdirSync(bin)
      for (const name of ['sh', 'rm', 'sha256sum', 'hostname']) symlinkSync(`/usr/bin/${name}`, join(bin, name))
      if (node !== undefined) writeFileSync(join(bin, 'node'), node, { mode: 0o755 })
      return { any: { workspace: workspace(), environment: { PATH: bin } } }
    }

    it('without Node says in one sentence what is to be done', async () => {
      const { console } = await run(script, { agents: agentWith(undefined) })
      expect(console).to.include(
        'treeswap: there is no node in the PATH of agent any: install Node 20.19 or newer there.',
      )
    })

    it('with a Node that does not start, too', async () => {
      const broken = '#!/bin/sh\necho "libstdc++.so.6: cannot open" >&2; exit 127\n'
      const { console } = await run(script, { agents: agentWith(broken) })
      expect(console.join('\n')).to.include('treeswap: node on agent any cannot be run: see above why')
    })

    it('with an old Node, too', async () => {
      const old = '#!/bin/sh\ncase $1 in -e) exit 1;; --version) echo v18.20.4;; esac\n'
      const { console } = await run(script, { agents: agentWith(old) })
      expect(console).to.include('treeswap: Node v18.20.4 on agent any is too old: install Node 20.19 or newer there.')
    })
  })

  it('is not what this project builds itself with: its own pipeline runs, too', async () => {
    const repository = join(directory(), 'repository')
    writeFiles(repository, {
      '.ci/prepare': '#!/bin/sh\nmkdir dist; echo 1 > dist/treeswap.mjs; echo 2 > dist/treeswap-root.mjs\n',
      '.ci/test': '#!/bin/sh\necho 1 passed, 0 failed\n',
    })
    for (const name of ['prepare', 'test']) chmodSync(join(repository, '.ci', name), 0o755)
    commitAll(repository)
    const { result, console, archived } = await run('', {
      script: readFileSync(new URL('../../Jenkinsfile', import.meta.url), 'utf8'),
      agents: { 'debian12 && root': { workspace: workspace() } },
      scm: { $class: 'GitSCM', branches: [{ name: 'refs/heads/main' }], userRemoteConfigs: [{ url: repository }] },
    })
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(archived).to.have.members(['dist/SHA256SUMS', 'dist/treeswap-root.mjs', 'dist/treeswap.mjs'])
  })

  describe('of the others', () => {
    it('names the option that was meant, before it waits for an agent', async () => {
      const { error, steps } = await run("treeswapMachine machine: 'database', timout: 10")
      expect(error).to.contain('treeswapMachine has no option timout: did you mean timeout?')
      expect(steps).to.deep.equal(['error'])
    })

    it('name it in config and publishOver, too, and not after a whole build', async () => {
      const calls = [
        "treeswapMachine machine: 'm', config: [url: 'u', brnch: 'main']",
        "treeswapMachine machine: 'm', publishOver: [credential: 'key']",
        "treeswapMachine machine: 'm', publishOver: 'key'",
        "treeswapPublish tree: 'm', publishOver: [hostkey: 'key']",
        "treeswapRollback tree: 'm', publishOver: [crdentials: 'key']",
        "treeswapPackages repo: 'r', rebild: ['x']",
        "treeswapPackages repo: 'r', signing: 'pgp', publishOver: [credentials: 'key']",
        "treeswapPublish tree: 'm', passphrase: 'phrase'",
        "treeswapPoll repo: 'r', config: [brnch: 'main']",
        "treeswapRepo repo: 'r', config: [pth: 'x']",
        "treeswapSeed config: [uri: 'u']",
        "treeswapReport config: [credential: 'c']",
        "treeswapJob(config: [file: 'x']) { }",
        // as in generated jobs
        "treeswapOptions 'all', [publishOver: [host: 'h', port: 22, user: 'u', hostKey: 'k', credentials: 'c'], " +
          "config: [url: 'u', branch: 'b', credentials: 'c', path: 'p']], ['publishOver', 'config']",
      ]
      const attempt = (call: string): string =>
        `try {\n${call}\necho 'taken'\n} catch (Exception refused) {\necho refused.message\n}`
      const { console, steps } = await run(calls.map(attempt).join('\n'))
      const said = console.filter((line) => /^taken|configuration:/.test(line))
      expect(said.map((line) => line.replace(/^configuration: |[?:] [A-Zw].*$/g, ''))).to.deep.equal([
        'config of treeswapMachine has no option brnch: did you mean branch',
        'publishOver of treeswapMachine has no option credential: did you mean credentials',
        'publishOver of treeswapMachine is no map',
        'publishOver of treeswapPublish has no option hostkey: did you mean hostKey',
        'publishOver of treeswapRollback has no option crdentials: did you mean credentials',
        'treeswapPackages has no option rebild: did you mean rebuild',
        'signing of treeswapPackages is for a publisher that is an agent',
        'treeswapPublish has a passphrase for no key',
        'config of treeswapPoll has no option brnch: did you mean branch',
        'config of treeswapRepo has no option pth: did you mean path',
        'config of treeswapSeed has no option uri: did you mean url',
        'config of treeswapReport has no option credential: did you mean credentials',
        'config of treeswapJob has no option file: did you mean url',
        'taken',
      ])
      expect(steps).not.to.include('node')
    })

    describe('take treeswap.yaml', () => {
      const repositoryWith = (files: Record<string, string>): object => {
        const repository = join(directory(), 'repository')
        writeFiles(repository, files)
        commitAll(repository)
        return {
          $class: 'GitSCM',
          branches: [{ name: 'refs/heads/main' }],
          userRemoteConfigs: [{ url: repository }],
        }
      }
      const asked = async (script: string, scm?: unknown): Promise<PipelineResult & { config: unknown }> => {
        const agents = { treeswap: { workspace: workspace() } }
        const found = await run(script, { agents, ...(scm !== undefined && { scm }) })
        const request = found.console.find((line) => line.startsWith('step {')) ?? 'step {}'
        return {
          ...found,
          config: (JSON.parse(request.slice(5, request.lastIndexOf('}') + 1)) as { config?: unknown }).config,
        }
      }
      const report = "treeswapReport publisher: 'treeswap'"

      it('from the repository that the script came from', async () => {
        const { config, checkouts, result, console } = await asked(report, repositoryWith({ 'treeswap.yaml': '' }))
        expect(result, console.join('\n')).to.equal('SUCCESS')
        expect(config).to.equal('treeswap.yaml')
        expect(checkouts.map(({ poll }) => poll)).to.deep.equal([false])
      })

      it('from the agent where that repository has none', async () => {
        expect((await asked(report, repositoryWith({ Jenkinsfile: '' }))).config).to.equal(null)
      })

      it('from the agent where the script is the job’s own text', async () => {
        const { config, checkouts } = await asked(report)
        expect(config).to.equal(null)
        expect(checkouts).to.deep.equal([])
      })

      it('from that repository in any case where the script says so', async () => {
        const { config } = await asked(`${report}, config: scm`, repositoryWith({ Jenkinsfile: '' }))
        expect(config, 'so that the runner says what is missing').to.equal('treeswap.yaml')
      })
    })

    it('lets operators publish through the agent of the publisher', async () => {
      const agents = { publisher: { workspace: workspace() } }
      const { console, agents: used } = await run(
        "treeswapPublish tree: 'database', reference: '-1', credentials: ''",
        { agents },
      )
      expect(used).to.deep.equal(['publisher'])
      expect(console.join('\n')).to.contain('"step":"publish","tree":"database","reference":"-1"')
    })
  })
})
