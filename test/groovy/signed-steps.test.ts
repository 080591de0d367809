import { expect } from 'chai'
import { join } from 'node:path'
import { commitAll } from '../lab/commit-all.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { makeLibrary } from './library.js'
import { runPipeline } from './run-pipeline.js'
import type { PipelineResult } from './run-pipeline.js'

/** A runner that answers each step as it is told, and shows which secrets it was given. */
const scripted = `
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
const [, , , request, , result] = process.argv
const asked = JSON.parse(readFileSync(request, 'utf8'))
const answer = (ANSWERS)[asked.step] ?? { status: 'ok' }
const { TREESWAP_SIGNING_KEY: key, TREESWAP_SIGNING_PASSPHRASE: passphrase = 'none', TREESWAP_JENKINS_TOKEN: token } = process.env
const what = { packages: 'builds', publish: 'publishes', rollback: 'goesBack' }[asked.step] ?? asked.step
console.log('asked', asked.step, JSON.stringify(asked))
console.log('did', asked.step, JSON.stringify({ [what]: true, key: key ? readFileSync(key, 'utf8') : 'none', passphrase, reads: token !== undefined }))
mkdirSync('artifact', { recursive: true })
writeFileSync('artifact/build.json', '{}')
writeFileSync('recipes.xml', '<testsuite/>')
writeFileSync(result, JSON.stringify({ schema: 1, ...answer }))
process.exit({ ok: 0, unstable: 3, failed: 12 }[answer.status])
`

describe('the steps of what is signed', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()
  const workspace = (): string => join(directory(), 'workspace')

  const job = 'treeswap/packages/own'
  /** Answers to the request of each step, and what the build came to. */
  const answering = (answers: Record<string, object>, script: string): Promise<PipelineResult> => {
    const library = makeLibrary(join(directory(), 'answering'), scripted.replace('ANSWERS', JSON.stringify(answers)))
    const agents = { treeswap: { workspace: workspace() }, publisher: { workspace: `${workspace()}-publisher` } }
    const credentials = {
      'treeswap-read': { username: 'reader', password: 'secret-token' },
      pgp: { file: 'the secret key' },
      phrase: { text: 'the secret phrase' },
    }
    return runPipeline(directory(), {
      script: `@Library('treeswap') _\n${script}`,
      number: 7,
      plugins: ['junit'],
      ...{ agents, credentials, job, library },
    })
  }
  const said = ({ console }: PipelineResult): string[] => console.filter((line) => line.startsWith('did '))
  const built = { status: 'ok', artifacts: ['artifact/*'], junit: 'recipes.xml', values: { number: 7 } }
  const call = "treeswapPackages repo: 'own', signing: 'pgp', passphrase: 'phrase', junit: true"
  const unsigned = '{"builds":true,"key":"none","passphrase":"none","reads":true}'
  const signed = '{"publishes":true,"key":"the secret key","passphrase":"****","reads":true}'

  it('are built, then published, with the key that signs there and nowhere else', async () => {
    const result = await answering({ packages: built }, call)
    expect(result.result, result.console.join('\n')).to.equal('SUCCESS')
    expect(result.agents).to.deep.equal(['treeswap', 'publisher'])
    expect(result.reports).to.deep.equal(['recipes.xml'])
    expect(said(result)).to.deep.equal([`did packages ${unsigned}`, `did publish ${signed}`])
    expect(result.console.join('\n')).not.to.contain('secret phrase').and.not.to.contain('secret-token')
    const published = result.console.find((line) => line.startsWith('asked publish'))
    expect(published)
      .to.contain(`"job":"${job}","number":"7","step":"publish","tree":"own"`)
      .and.to.contain('"running":true')
  })

  it('are so for a machine, too', async () => {
    const machine = "treeswapMachine machine: 'box', repos: ['gentoo'], signing: 'pgp', passphrase: 'phrase'"
    const profile = join(directory(), 'profile')
    writeFiles(profile, { world: '' })
    commitAll(profile)
    const values = { url: profile, branch: 'main' }
    const result = await answering({ describe: { status: 'ok', values } }, machine)
    const keys = said(result).map((line) => [line.split(' ')[1], line.includes('"key":"the secret key"')])
    expect(keys, result.console.join('\n')).to.deep.equal([
      ['describe', false],
      ['build', false],
      ['publish', true],
    ])
  })

  it('are published as far as they were built, and the build stays unstable', async () => {
    const partial = { ...built, status: 'unstable', message: 'alpha failed: it is broken' }
    const result = await answering({ packages: partial }, call)
    expect(result.result).to.equal('UNSTABLE')
    expect(result.archived).to.deep.equal(['artifact/build.json'])
    expect(said(result)).to.have.length(2)
  })

  it('are not published where nothing could be built', async () => {
    const failed = {
      status: 'failed',
      category: 'build',
      message: 'all failed',
      hint: 'mend',
      artifacts: ['recipes.xml'],
    }
    const result = await answering({ packages: failed }, call)
    expect(result.result).to.equal('FAILURE')
    expect(result.error).to.contain('build: all failed – mend')
    expect(result.archived).to.deep.equal(['recipes.xml'])
    expect(said(result)).to.have.length(1)
  })

  it('are neither archived nor published where nothing has changed, and the build counts for nothing', async () => {
    const result = await answering(
      { packages: { status: 'ok', description: 'nothing has changed', values: { unchanged: true } } },
      call,
    )
    expect(result.result).to.equal('NOT_BUILT')
    expect(result.description).to.equal('nothing has changed')
    expect(result.archived).to.deep.equal([])
    expect(result.agents).to.deep.equal(['treeswap'])
  })

  it('are not published where the job says so', async () => {
    const result = await answering({ packages: built }, "treeswapPackages repo: 'own', publish: false")
    expect([result.result, ...result.agents]).to.deep.equal(['SUCCESS', 'treeswap'])
  })

  it('are gone back to with the key as well', async () => {
    const result = await answering({}, "treeswapRollback tree: 'own', signing: 'pgp', passphrase: 'phrase'")
    expect(said(result)).to.deep.equal([
      `did rollback ${signed.replace('publishes', 'goesBack').replace('"reads":true', '"reads":false')}`,
    ])
  })

  it('are looked at by a build that succeeds only where there is something new', async () => {
    const poll = "treeswapPoll repo: 'own'"
    expect((await answering({ poll: { status: 'ok', values: { news: ['alpha'] } } }, poll)).result).to.equal('SUCCESS')
    expect((await answering({ poll: { status: 'ok', values: { unchanged: true } } }, poll)).result).to.equal(
      'NOT_BUILT',
    )
    const broken = { status: 'unstable', message: 'gamma cannot be read' }
    const result = await answering({ poll: broken }, poll)
    expect(result.result).to.equal('UNSTABLE')
    expect(result.console).to.include('WARNING: gamma cannot be read')
  })
})
