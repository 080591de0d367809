import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fakeJenkins } from '../jenkins/fake-jenkins.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { archive } from '../store/machine.js'
import { compile, documentOf, treeswap } from './treeswap.js'

const JOB = 'treeswap/machines/box'
const FROM = ['--from', `jenkins:${JOB}`]

describe('commands that take builds from Jenkins', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()
  const fake = fakeJenkins({ users: { treeswap: { token: '11aa22bb', password: 'x' } } })
  before(compile)

  async function build(number: number, more = {}): Promise<void> {
    await archive(join(directory(), 'artifacts'), number)
    fake().items.addBuild(JOB, { number, artifacts: join(directory(), 'artifacts/box', String(number)), ...more })
  }

  async function run(...args: string[]) {
    const env = { JENKINS_URL: fake().url, TREESWAP_JENKINS_USER: 'treeswap', TREESWAP_JENKINS_TOKEN: '11aa22bb' }
    const ended = await treeswap([...args, '--json'], { cwd: directory(), env })
    expect(ended.stdout + ended.stderr).not.to.include('11aa22bb')
    return { ...documentOf(ended), exitCode: ended.exitCode }
  }

  it('need no configuration: the environment says where it is and who asks', async () => {
    await build(7)
    await build(8)
    const root = ['--root', 'store']
    expect(await run('pull', 'box@7', ...FROM, ...root)).to.deep.include({ exitCode: 0, number: 7, already: false })
    expect(await run('publish', 'box', ...FROM, ...root)).to.deep.include({ exitCode: 0, build: 8 })
    expect(await run('publish', 'box', '--from', `jenkins:${JOB}@7`, ...root)).to.deep.include({ build: 7 })
    expect(readdirSync(join(directory(), 'store/builds/box'))).to.deep.equal(['7', '8'])
  })

  it('publish a running build only where it says that it is itself', async () => {
    await build(7, { building: true, result: null })
    const root = ['--root', 'store']
    expect((await run('publish', 'box@7', ...FROM, ...root)).error?.code).to.equal('BUILD_RUNNING')
    for (const wrong of [['box', ...FROM], ['box@7', '--from', 'dir:artifacts'], ['box@7']]) {
      expect((await run('publish', ...wrong, '--running', ...root)).error?.code, wrong.join(' ')).to.equal('USAGE')
    }
    expect(await run('publish', 'box@7', ...FROM, '--running', ...root)).to.deep.include({ exitCode: 0, build: 7 })
  })

  it('take the configuration where there is one', async () => {
    await build(7)
    writeFiles(directory(), {
      'treeswap.yaml': `schema: 1\npublisher: { root: store }\njenkins: { url: 'https://ci.invalid/' }\n`,
    })
    const { exitCode, error } = await run('pull', 'box', ...FROM)
    expect([exitCode, error?.code]).to.deep.equal([10, 'JENKINS_URL_DIFFERENT'])
  })
})
