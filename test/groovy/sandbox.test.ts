import { expect } from 'chai'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commitAll } from '../lab/commit-all.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { makeLibrary } from './library.js'
import { runPipeline } from './run-pipeline.js'
import type { PipelineResult } from './run-pipeline.js'

/** A runner that does nothing, and describes the repository that SOURCE names. */
const runner = `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
const [, , , request, , result] = process.argv
const asked = JSON.parse(readFileSync(request, 'utf8'))
mkdirSync('artifact', { recursive: true })
writeFileSync('artifact/build.json', '{}')
writeFileSync('x.xml', '<testsuite/>')
const values = { url: process.env.SOURCE, branch: 'main', path: 'database', credentials: 'git-read', list: [{ a: 1 }], unchanged: asked.repo === 'same' }
const failed = asked.tree === 'missing' && { status: 'failed', category: 'publish', message: 'm', hint: 'h' }
const unstable = asked.tree === 'half' && { status: 'unstable', message: 'm' }
writeFileSync(result, JSON.stringify({ schema: 1, status: 'ok', description: 'd', artifacts: ['artifact/*'], junit: 'x.xml', values, ...failed, ...unstable }))
`

const allowed = readFileSync(new URL('allowed-signatures.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))

describe('the library in a script sandbox', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()

  async function run(script: string): Promise<PipelineResult> {
    const repository = join(directory(), 'repository')
    writeFiles(repository, { 'treeswap.yaml': '', 'database/world': '' })
    commitAll(repository)
    mkdirSync(join(directory(), 'any'), { recursive: true })
    const agent = { workspace: join(directory(), 'any'), environment: { SOURCE: repository } }
    const result = await runPipeline(directory(), {
      script: `@Library('treeswap') _\n${script.replaceAll('CONFIG', `config: [url: '${repository}', path: 'treeswap.yaml']`)}`,
      job: 'treeswap/machines/database',
      number: 7,
      agents: { treeswap: agent, publisher: agent },
      credentials: {
        'treeswap-read': { username: 'u', password: 'p-secret' },
        ssh: { key: 'k-secret' },
        pgp: { file: 'f-secret' },
        phrase: { text: 't-secret' },
      },
      library: makeLibrary(join(directory(), 'library'), runner),
      parameters: { TREE: 'own' },
      plugins: ['junit', 'job-dsl'],
      sandbox: true,
    })
    return result
  }

  const scripts = {
    treeswapRepo: "treeswapRepo repo: 'gentoo', CONFIG",
    treeswapMachine: "treeswapMachine machine: 'database', repos: ['gentoo'], junit: true, CONFIG",
    'treeswapMachine over SSH':
      "treeswapMachine machine: 'database', publishOver: [host: 'h', port: 22, credentials: 'ssh'], CONFIG",
    treeswapPackages:
      "treeswapPackages repo: 'own', rebuild: ['a'], junit: true, signing: 'pgp', passphrase: 'phrase', CONFIG",
    treeswapPoll: "treeswapPoll repo: 'own', CONFIG",
    'what has not changed': "treeswapPackages repo: 'same', CONFIG",
    'a poll that finds nothing': "treeswapPoll repo: 'same', CONFIG",
    'the key of a tree that an operator chose':
      "treeswapPublish tree: params.TREE, signing: ['own': 'pgp'].get(params.TREE), passphrase: ['own': 'phrase'].get(params.TREE)",
    treeswapPublish: "treeswapPublish tree: 'database', reference: '-1', CONFIG",
    treeswapRollback: "treeswapRollback tree: 'database', publishOver: [credentials: 'ssh'], CONFIG",
    treeswapSeed: 'treeswapSeed allowShrink: true, CONFIG',
    treeswapReport: 'treeswapReport()',
    'an unknown option': "treeswapMachine machin: 'database'",
    'an unknown option of config': "treeswapMachine machine: 'database', config: [brnch: 'main']",
    'what fails': "treeswapPublish tree: 'missing'",
    'what is half done': "treeswapPublish tree: 'half'",
  }
  for (const [what, script] of Object.entries(scripts)) {
    it(`needs no approval for ${what}`, async () => {
      const { checked = [], console, result } = await run(script)
      expect(result, console.join('\n')).to.equal(
        /fails|unknown/.test(what)
          ? 'FAILURE'
          : what.includes('half')
            ? 'UNSTABLE'
            : /not changed|nothing/.test(what)
              ? 'NOT_BUILT'
              : 'SUCCESS',
      )
      expect(checked).to.not.have.length(0)
      expect(checked.filter((signature) => !allowed.includes(signature))).to.deep.equal([])
    })
  }

  it('publishes with a call of its own, and only where the job does not say otherwise', async () => {
    const machine = "treeswapMachine machine: 'database', CONFIG"
    expect((await run(machine)).agents).to.deep.equal(['treeswap', 'publisher'])
    expect((await run(`${machine}, publish: false`)).agents).to.deep.equal(['treeswap'])
  })

  it('notices what would have to be approved', async () => {
    const { checked } = await run("echo new URL('http://x').text.length().toString(); Jenkins.instance")
    expect(checked?.filter((signature) => !allowed.includes(signature))).to.include('new java.net.URL java.lang.String')
  })
})
