import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { chooseNumber } from '../../src/artifact/source.js'
import { openJenkins } from '../../src/jenkins/client.js'
import type { Jenkins } from '../../src/jenkins/client.js'
import { followConsole, readConsole } from '../../src/jenkins/console.js'
import { createItem, listItems, readItem, updateItem } from '../../src/jenkins/items.js'
import { trigger, waitForEnd, waitForStart } from '../../src/jenkins/queue.js'
import { jenkinsSource } from '../../src/jenkins/source.js'
import { compile, documentOf, treeswap } from '../cli/treeswap.js'
import { GitRepo } from '../lab/git-repo.js'
import { writeFiles } from '../lab/temporary.js'
import { failure } from '../store/machine.js'
import { startCuttingProxy } from './cutting-proxy.js'
import { freestyle } from './freestyle.js'
import { startHudson } from './hudson.js'
import type { Hudson, User } from './hudson.js'

const program = new URL('../../dist/treeswap.mjs', import.meta.url).pathname
const waiting = { timeout: 30_000, interval: 200 }

describe('Jenkins’ REST, at a server that runs', function () {
  this.timeout(120_000)
  let directory: string
  let hudson: Hudson
  let jenkins: Jenkins

  before(compile)
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-rest-'))
    hudson = await startHudson()
    jenkins = as(hudson.admin)
  })
  after(async () => {
    await (hudson as Hudson | undefined)?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const as = (user: User, url = hudson.url): Jenkins => openJenkins({ url, ...user }, { limits: { pauses: [50, 50] } })

  const latest = (client: Jenkins, job: string): Promise<number> =>
    chooseNumber(jenkinsSource(client, job), { kind: 'tree', name: job })

  async function build(job: string, parameters?: Record<string, string>): Promise<{ number: number; result: string }> {
    const number = await waitForStart(jenkins, await trigger(jenkins, job, parameters), waiting)
    return { number, result: await waitForEnd(jenkins, job, number, waiting) }
  }

  describe('jobs', () => {
    it('are made, listed, read and changed', async () => {
      await createItem(jenkins, 'made', freestyle({ command: 'echo one' }))
      expect(await listItems(jenkins, '')).to.include('made')
      expect(await readItem(jenkins, 'made')).to.include('<command>echo one</command>')
      expect(await readItem(jenkins, 'other')).to.equal(undefined)
      expect(await failure(createItem(jenkins, 'made', freestyle({ command: 'echo two' })))).to.include({
        code: 'JENKINS_REFUSED',
      })
      await updateItem(jenkins, 'made', freestyle({ command: 'echo three' }))
      expect(await readItem(jenkins, 'made')).to.include('<command>echo three</command>')
      expect(await jenkins.exists('job/made')).to.equal(true)
      expect(await jenkins.exists('job/other')).to.equal(false)
    })

    it('are started, with parameters too, and their console is followed to its end', async () => {
      await createItem(
        jenkins,
        'asked',
        freestyle({ command: 'echo "tree=$TREE"; sleep 1; echo end', parameters: ['TREE'] }),
      )
      const triggered = await trigger(jenkins, 'asked', { TREE: 'box & <co>' })
      expect(triggered, 'Hudson names no queue item').to.include({ queueId: undefined, atLeast: 1 })
      const number = await waitForStart(jenkins, triggered, waiting)
      const lines: string[] = []
      await followConsole(jenkins, 'asked', number, (line) => void lines.push(line), { interval: 100 })
      expect(lines).to.include.members(['tree=box & <co>', 'end', 'Finished: SUCCESS'])
      expect(await waitForEnd(jenkins, 'asked', number, waiting)).to.equal('SUCCESS')
      const { text, next, more } = await readConsole(jenkins, 'asked', number, 0)
      expect(next, 'lines end otherwise over HTTP').to.equal(Buffer.byteLength(text.replaceAll('\r\n', '\n')))
      expect(more).to.equal(false)
    })

    it('poll their git repository and build what is new', async () => {
      writeFiles(join(directory, 'polled'), { file: 'old\n' })
      const repo = await GitRepo.create(join(directory, 'polled'))
      await createItem(jenkins, 'polled', freestyle({ command: 'git rev-parse HEAD', git: repo.directory }))
      expect(await build('polled')).to.deep.equal({ number: 1, result: 'SUCCESS' })
      repo.write('file', 'new\n')
      const commit = await repo.commit('Add a file')
      // what a web hook does
      await jenkins.post('job/polled/polling')
      const number = await waitForStart(jenkins, { job: 'polled', queueId: undefined, atLeast: 2 }, waiting)
      expect(await waitForEnd(jenkins, 'polled', number, waiting)).to.equal('SUCCESS')
      const { text } = await readConsole(jenkins, 'polled', number, 0)
      expect(text).to.include('Started by an SCM change').and.to.include(`\n${commit}\r\n`)
    })
  })

  describe('who asks', () => {
    it('is told what is missing: credentials, permission, the job', async () => {
      await createItem(jenkins, 'guarded', freestyle({ command: 'true' }))
      const wrong = as({ user: 'admin', password: 'not this one' })
      // today's Jenkins answers 401, which is another code
      const refused = await failure(latest(wrong, 'guarded'))
      expect(refused).to.include({ code: 'JENKINS_FORBIDDEN' })
      expect(JSON.stringify([refused, refused.message, refused.hint])).not.to.include('not this one')
      const anonymous = await failure(latest(openJenkins({ url: hudson.url }), 'guarded'))
      expect(anonymous).to.include({ code: 'JENKINS_FORBIDDEN' })
      const reader = as(hudson.reader)
      expect(await failure(latest(reader, 'guarded'))).to.include({ code: 'BUILD_MISSING' })
      expect(await failure(trigger(reader, 'guarded'))).to.include({ code: 'JENKINS_FORBIDDEN' })
      expect(await failure(latest(reader, 'nothing'))).to.include({ code: 'JENKINS_NOT_FOUND' })
    })
  })

  describe('artifacts', () => {
    const large = randomBytes(2 ** 21)

    before(async () => {
      await createItem(jenkins, 'box', freestyle({ command: packing('box'), archive: true }))
      makeResult({ 'sys-apps/large': large, 'sys-apps/hello': Buffer.from('one') })
      expect(await build('box')).to.deep.equal({ number: 1, result: 'SUCCESS' })
      makeResult({ 'sys-apps/large': large, 'sys-apps/hello': Buffer.from('two') })
      expect(await build('box')).to.deep.equal({ number: 2, result: 'SUCCESS' })
      await updateItem(jenkins, 'box', freestyle({ command: `${packing('box')}; exit 1`, archive: true }))
      expect(await build('box')).to.deep.equal({ number: 3, result: 'FAILURE' })
    })

    it('are found by number, by permalink, and not where the build failed', async () => {
      const source = jenkinsSource(as(hudson.reader), 'box')
      const item = { kind: 'tree', name: 'box' } as const
      expect(await latest(jenkins, 'box')).to.equal(2)
      expect(await source.numbers(item)).to.deep.equal([1, 2])
      expect((await source.readBuild(item, 2)).build).to.include({ number: 2, base: 1 })
      expect(await failure(source.readBuild(item, 3))).to.include({ code: 'BUILD_NOT_SUCCESSFUL' })
      expect(await failure(source.readBuild(item, 4))).to.include({ code: 'BUILD_MISSING' })
      expect(await failure(source.readBuild({ kind: 'tree', name: 'other' }, 2))).to.include({
        code: 'BUILD_MISPLACED',
      })
    })

    it('are pulled, of the builds that carry them, and published', async () => {
      const one = await command(['pull', 'box@1', '--root', 'store'])
      expect(one).to.include({ number: 1, already: false })
      const two = await command(['publish', 'box', '--root', 'store'])
      expect(two).to.include({ build: 2, serial: 1 })
      expect(two.pulled).to.have.property('fetchedBytes').that.is.lessThan(large.length)
      const index = readFileSync(join(directory, 'store/published/box/.binpkgs/Packages'), 'utf8')
      expect(index).to.include('sys-apps/large-1').and.to.include('sys-apps/hello-1')
      const alone = await command(['publish', 'box@2', '--root', 'other'])
      expect(alone.pulled, 'build 1 carries the large package')
        .to.have.property('fetchedBytes')
        .that.is.greaterThan(large.length)
      const failed = await command(['publish', 'box@3', '--root', 'store'])
      expect(failed.error).to.include({ code: 'BUILD_NOT_SUCCESSFUL' })
      expect(JSON.stringify(failed)).not.to.include(hudson.reader.password)
    })

    it('are fetched on where a connection broke, by ranges', async () => {
      const proxy = await startCuttingProxy(hudson.url, 2 ** 19, 2)
      const fetched = await command(['pull', 'box@1', '--root', 'cut'], proxy.url)
      await proxy.stop()
      expect(fetched).to.include({ number: 1, already: false })
      expect(proxy.cuts()).to.equal(2)
    })
  })

  /** What the shell of a job runs: the compiled program packs what lies in `result`. */
  function packing(tree: string): string {
    const base = `$([ $BUILD_NUMBER = 1 ] || echo --base ${directory}/kept/${tree}/$((BUILD_NUMBER - 1)))`
    const pack = `${process.execPath} ${program} pack ${directory}/result --tree ${tree} --number $BUILD_NUMBER`
    const keep = `mkdir -p ${directory}/kept/${tree}; cp -r artifact ${directory}/kept/${tree}/$BUILD_NUMBER`
    return `rm -rf artifact; ${pack} --out artifact ${base}; ${keep}`
  }

  function makeResult(packages: Record<string, Buffer>): void {
    rmSync(join(directory, 'result'), { recursive: true, force: true })
    const stanzas = Object.entries(packages).map(
      ([name, { length }]) => `CPV: ${name}-1\nPATH: ${name}-1.gpkg.tar\nSIZE: ${length}\n\n`,
    )
    writeFiles(join(directory, 'result'), {
      'repos/gentoo/profiles/repo_name': 'gentoo\n',
      'etc-portage/make.conf': 'USE=""\n',
      'var-lib-portage/world': 'sys-apps/hello\n',
      'binpkgs/Packages': `ARCH: amd64\nPACKAGES: ${stanzas.length}\n\n${stanzas.join('')}`,
    })
    for (const [name, content] of Object.entries(packages)) {
      const file = join(directory, 'result/binpkgs', `${name}-1.gpkg.tar`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
  }

  /** The compiled program, as a user who may only read. */
  async function command(args: string[], url = hudson.url): Promise<Record<string, unknown>> {
    const { user, password } = hudson.reader
    const env = { JENKINS_URL: url, TREESWAP_JENKINS_USER: user, TREESWAP_JENKINS_PASSWORD: password }
    return documentOf(await treeswap([...args, '--from', 'jenkins:box', '--json'], { cwd: directory, env }))
  }
})
