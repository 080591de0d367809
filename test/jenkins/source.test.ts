import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { chooseNumber } from '../../src/artifact/source.js'
import type { ArtifactSource, Item } from '../../src/artifact/source.js'
import { openJenkins } from '../../src/jenkins/client.js'
import { jenkinsSource } from '../../src/jenkins/source.js'
import type { JenkinsSourceOptions } from '../../src/jenkins/source.js'
import { latestBase } from '../../src/agent/base-build.js'
import type { Context } from '../../src/model/report.js'
import { listBuilds } from '../../src/store/builds.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { failure } from '../artifact/collect.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { archive } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'
import {
  answers,
  breaksAfter,
  compresses,
  drops,
  endsAfter,
  neverEnds,
  redirects,
  showsLogin,
  stallsAfter,
} from './fake-faults.js'
import type { Fault } from './fake-faults.js'
import { FakeJenkins, fakeJenkins } from './fake-jenkins.js'

const JOB = 'treeswap/machines/box'
const box: Item = { kind: 'tree', name: 'box' }
const users = { treeswap: { token: '11aa22bb', password: 'x' } }
const large = 'x'.repeat(1_500_000)
const limits = { answer: 2000, idle: 300, pauses: [5, 5] }

describe('artifacts of a Jenkins job', () => {
  const directory = temporaryDirectory()
  const fake = fakeJenkins({ users })
  const artifacts = (): string => join(directory(), 'artifacts')
  const file = (number: number, name: string): string => join(artifacts(), 'box', String(number), name)
  const newStore = (name = 'store'): Store => openStore(join(directory(), name), { create: true })

  function source(options: JenkinsSourceOptions = {}, signal = silent.signal): ArtifactSource {
    const access = { url: fake().url, user: 'treeswap', token: '11aa22bb' }
    return jenkinsSource(openJenkins(access, { limits, signal }), JOB, options)
  }

  const take = (store: Store, number: number, from = source(), context: Context = silent) =>
    pull(store, from, 'box', number, context)

  /** Archives a build of the machine, and in Jenkins. */
  async function build(number: number, more: Parameters<typeof archive>[2] = {}, base?: number): Promise<void> {
    await archive(artifacts(), number, more, base === undefined ? {} : { base })
    fake().items.addBuild(JOB, { number, artifacts: join(artifacts(), 'box', String(number)) })
  }

  it('are those of builds that succeeded, by the numbers of Jenkins', async () => {
    await build(3)
    for (const [number, result, building] of [
      [4, 'FAILURE', false],
      [5, 'ABORTED', false],
      [6, 'NOT_BUILT', false],
      [7, 'UNSTABLE', false],
      [8, null, true],
      [9, 'FAILURE', true],
    ] as const) {
      await archive(artifacts(), number)
      fake().items.addBuild(JOB, { number, result, building, artifacts: join(artifacts(), 'box', String(number)) })
    }
    fake().items.addBuild(JOB, { number: 10 })
    expect(await source().numbers(box)).to.deep.equal([3])
    expect(await chooseNumber(source(), box)).to.equal(3)
    const codes = []
    for (const number of [4, 5, 6, 7, 8, 9, 10, 11]) {
      codes.push((await failure(() => chooseNumber(source(), box, number))).code)
    }
    const refused = 'BUILD_NOT_SUCCESSFUL'
    expect(codes).to.deep.equal([
      ...[refused, refused, refused, refused],
      ...['BUILD_RUNNING', refused, 'ARTIFACT_MISSING', 'BUILD_MISSING'],
    ])
    expect((await failure(() => chooseNumber(source(), box, 11))).hint).to.include('3')
    expect((await failure(() => chooseNumber(source(), box, 4))).message).to.include('FAILURE')
  })

  it('are found where the last success lies behind a hundred failures', async () => {
    await build(3)
    for (let number = 4; number < 110; number++) fake().items.addBuild(JOB, { number, result: 'FAILURE' })
    expect(await source().numbers(box)).to.deep.equal([3])
    expect(await source({ only: 2 }).numbers(box)).to.deep.equal([])
    fake().items.addBuild(JOB, { number: 110, result: 'UNSTABLE' })
    expect(await chooseNumber(source(), box), 'UNSTABLE is not taken').to.equal(3)
  })

  it('are taken of a pacman repo also where they are unstable, and of nothing else', async () => {
    const unstable = async (number: number, more: { building?: boolean; result?: string } = {}): Promise<void> => {
      await archiveRepo(artifacts(), number, { one: {} }, { tree: 'box' })
      const archived = join(artifacts(), 'box', String(number))
      fake().items.addBuild(JOB, { number, result: 'UNSTABLE', artifacts: archived, ...more })
    }
    await unstable(1)
    await unstable(2, { result: 'FAILURE' })
    await unstable(3, { building: true })
    fake().items.addBuild(JOB, { number: 4, result: 'UNSTABLE' })
    expect(await source().numbers(box)).to.deep.equal([1])
    expect(await source({ only: 2 }).numbers(box)).to.deep.equal([])
    expect((await take(newStore(), 1)).build.kind).to.equal('pacman-repo')
    expect((await failure(() => source().readBuild(box, 2))).code).to.equal('BUILD_NOT_SUCCESSFUL')
    expect((await failure(() => source().readBuild(box, 3))).code).to.equal('BUILD_NOT_SUCCESSFUL')
    expect((await failure(() => source().readBuild(box, 4))).code).to.equal('BUILD_NOT_SUCCESSFUL')
    expect(await source({ running: 3 }).numbers(box), 'the one that asks').to.deep.equal([1, 3])
    expect((await source({ running: 3 }).readBuild(box, 3)).build.number).to.equal(3)
    for (let number = 2; number < 110; number++) fake().items.addBuild(JOB, { number, result: 'FAILURE' })
    expect(await source().numbers(box), 'behind a hundred failures').to.deep.equal([1])
    fake().fail(/1\/artifact/, drops, 3)
    expect((await failure(() => source().numbers(box))).code).to.equal('JENKINS_BROKEN')
  })

  it('are read while their build runs by that build alone', async () => {
    await archive(artifacts(), 4)
    const archived = join(artifacts(), 'box/4')
    fake().items.addBuild(JOB, { number: 4, result: null, building: true, artifacts: archived })
    const own = source({ running: 4 })
    expect(await own.numbers(box)).to.deep.equal([4])
    expect((await take(newStore(), 4, own)).build.number).to.equal(4)
    expect(await source({ running: 5 }).numbers(box)).to.deep.equal([])
    expect((await failure(() => take(newStore('other'), 4, source({ running: 5 })))).code).to.equal('BUILD_RUNNING')
    fake().items.addBuild(JOB, { number: 4, result: 'FAILURE', building: true, artifacts: archived })
    expect((await failure(() => take(newStore('other'), 4, source({ running: 4 })))).code).to.equal(
      'BUILD_NOT_SUCCESSFUL',
    )
  })

  it('belong to one machine: the record says which', async () => {
    await build(3)
    const other: Item = { kind: 'tree', name: 'other' }
    expect((await failure(() => source().readBuild(other, 3))).code).to.equal('BUILD_MISPLACED')
    const repo = await failure(() => source().readBuild({ ...box, kind: 'ebuild-repo' }, 3))
    expect(repo).to.include({
      code: 'BUILD_MISPLACED',
      hint: 'name the job, or directory, of an ebuild repo (repos/NAME)',
    })
    fake().items.addBuild(JOB, { number: 4, artifacts: join(artifacts(), 'box/3') })
    const error = await failure(() => source().readBuild(box, 4))
    expect([error.code, error.message.includes('build 3')]).to.deep.equal(['BUILD_MISPLACED', true])
    const known = source()
    await known.readBuild(box, 3)
    expect((await failure(() => known.readBuild(other, 3))).code).to.equal('BUILD_MISPLACED')
  })

  it('lie in the one directory that has a build record', async () => {
    await archive(artifacts(), 3)
    const archived = join(artifacts(), 'box/3')
    for (const under of ['', 'artifact', 'out put/#1/artifact']) {
      fake().items.addBuild(JOB, { number: 3, archived: { directory: archived, under } })
      expect((await take(newStore(`store-${under.length}`), 3)).build.number, under).to.equal(3)
    }
    fake().items.addBuild(JOB, { number: 3, archived: { directory: artifacts(), under: '' } })
    await archive(artifacts(), 4)
    expect((await failure(() => source().readBuild(box, 3))).message).to.include('box/3/build.json')
    for (const path of ['../../other/build.json', '/build.json', 'a//build.json', 'a\\build.json']) {
      const artifact = { fileName: 'build.json', relativePath: path }
      const record = { number: 3, result: 'SUCCESS', building: false, artifacts: [artifact] }
      fake().fail(/3\/api/, answers(200, { 'content-type': 'application/json' }, JSON.stringify(record)))
      expect((await failure(() => source().readBuild(box, 3))).code, path).to.equal('ARTIFACT_MISSING')
    }
  })

  it('have a job whose name is checked before it is in any path', async () => {
    const jenkins = openJenkins({ url: fake().url })
    for (const job of ['', '/', '..', 'a/../b', 'a//b', 'a\n', 'a?b', 'a#b', 'a/.', 'a@b', ' a']) {
      expect((await failure(() => jenkinsSource(jenkins, job))).code, job).to.equal('JOB_INVALID')
    }
    fake().items.add('über/a b%2Fc+d', { builds: [] })
    const access = { url: fake().url, user: 'treeswap', token: '11aa22bb' }
    expect(await jenkinsSource(openJenkins(access), '/über/a b%2Fc+d/').numbers(box)).to.deep.equal([])
    expect((await failure(() => jenkinsSource(openJenkins(access), 'gone').numbers(box))).code).to.equal(
      'JENKINS_NOT_FOUND',
    )
  })

  describe('pulled', () => {
    it('are only the files that the store lacks, from earlier builds too', async () => {
      await build(1, { packages: { 'a/one': large, 'a/two': 'two' } })
      await build(2, { packages: { 'a/one': large, 'a/two': 'more' } }, 1)
      const store = newStore()
      await take(store, 1)
      fake().takeRequests()
      const { fetchedBytes } = await take(store, 2)
      const asked = fake()
        .takeRequests()
        .map((line) => line.replace(`GET /job/treeswap/job/machines/job/box/`, ''))
      expect(asked).to.deep.equal([
        '2/api/json',
        '2/artifact/artifact/build.json',
        '2/artifact/artifact/packages.manifest.zst',
        '2/artifact/artifact/packages.tar',
      ])
      expect(fetchedBytes).to.be.lessThan(50_000)

      const empty = newStore('empty')
      await take(empty, 2)
      expect(
        fake()
          .takeRequests()
          .some((line) => line.endsWith('/1/artifact/artifact/packages.tar')),
      ).to.equal(true)
      expect(listBuilds(empty, 'box')).to.deep.equal([2])
    })

    it('say what to do where a build that they rely on is gone, and are packed whole where that is known before', async () => {
      await build(1, { packages: { 'a/one': large, 'a/two': 'two' } })
      await build(2, { packages: { 'a/one': large, 'a/two': 'more' } }, 1)
      const base = await latestBase(source(), 'box')
      expect(await base?.originExists(1)).to.equal(true)
      fake().items.addBuild(JOB, { number: 1 })
      const error = await failure(() => take(newStore(), 2))
      expect([error.code, error.category]).to.deep.equal(['ORIGIN_MISSING', 'publish'])
      expect(error.hint).to.include('--full')
      const again = await latestBase(source(), 'box')
      expect(await again?.originExists(1)).to.equal(false)
      fake().items.addBuild(JOB, { number: 1, result: 'FAILURE', artifacts: join(artifacts(), 'box/1') })
      expect(await (await latestBase(source(), 'box'))?.originExists(1)).to.equal(false)
      fake().fail(/1\/api/, drops, 3)
      const unknown = await failure(async () => (await latestBase(source(), 'box'))?.originExists(1))
      expect(unknown.code, 'not knowing is not the same as gone').to.equal('JENKINS_BROKEN')
    })

    it('are the bytes that were archived, through any number of broken connections', async () => {
      await build(1, { packages: { 'a/one': large } })
      for (const fault of [drops, breaksAfter(0), breaksAfter(700_000), breaksAfter(1_400_000), stallsAfter(10)]) {
        fake().requests.splice(0)
        fake().fail(/packages\.tar/, fault)
        const store = newStore(`store-${Math.random()}`)
        await take(store, 1)
        const asked = fake().requests.filter(({ url }) => url.endsWith('packages.tar'))
        expect(asked).to.have.length(2)
      }
      fake().fail(/packages\.tar/, compresses)
      await take(newStore('compressed'), 1)
      fake().requests.splice(0)
      fake().fail(/packages\.tar/, breaksAfter(1_000_000))
      await take(newStore('last'), 1)
      const ranges = fake()
        .requests.filter(({ url }) => url.endsWith('packages.tar'))
        .map(({ headers }) => headers.range)
      expect(ranges[0]).to.equal(undefined)
      expect(ranges[1]).to.match(/^bytes=[1-9][0-9]*-$/)
    })

    it('are not taken where they are cut, replaced, endless, or go on elsewhere than they broke off', async () => {
      await build(1, { packages: { 'a/one': large } })
      const original = readFileSync(file(1, 'packages.tar'))
      const changes: Fault = (_, response, serve) => {
        const changed = Buffer.from(original)
        changed.writeUInt8(changed.readUInt8(1_400_000) ^ 1, 1_400_000)
        writeFileSync(file(1, 'packages.tar'), changed)
        return breaksAfter(700_000)(_, response, serve)
      }
      const wholeAgain = answers(200, {}, original.toString('latin1'))
      const range = { 'content-range': `bytes 0-${original.length - 1}/${original.length}` }
      const elsewhere = answers(206, range, original.toString('latin1'))
      const longer = answers(206, { 'content-range': 'bytes 700000-9999999/10000000' }, 'x')
      const cases: [Fault[], string][] = [
        [[endsAfter(1_000_000)], 'PACK_DAMAGED'],
        [[neverEnds], 'PACK_DAMAGED'],
        [[showsLogin(200)], 'JENKINS_LOGIN_PAGE'],
        [[breaksAfter(10), breaksAfter(10), breaksAfter(10)], 'JENKINS_BROKEN'],
        [[stallsAfter(10), stallsAfter(10), stallsAfter(10)], 'JENKINS_SILENT'],
        [[breaksAfter(700_000), wholeAgain], 'JENKINS_NOT_RESUMED'],
        [[breaksAfter(700_000), elsewhere], 'JENKINS_NOT_RESUMED'],
        [[breaksAfter(700_000), longer], 'JENKINS_NOT_RESUMED'],
        [[breaksAfter(700_000), answers(404)], 'JENKINS_NOT_FOUND'],
        [[changes], 'PACK_DAMAGED'],
      ]
      const store = newStore()
      for (const [faults, code] of cases) {
        for (const fault of faults) fake().fail(/packages\.tar/, fault)
        const error = await failure(() => take(store, 1))
        expect(error.code, faults.map(String).join()).to.equal(code)
        expect(listBuilds(store, 'box')).to.deep.equal([])
        writeFileSync(file(1, 'packages.tar'), original)
      }
      await until(() => fake().openAnswers === 0)
      await take(store, 1)
      expect(listBuilds(store, 'box')).to.deep.equal([1])
    })

    it('are refused where a number has other bytes than before', async () => {
      await build(1)
      const store = newStore()
      await take(store, 1)
      fake().items.remove(JOB)
      renameSync(join(artifacts(), 'box/1'), join(artifacts(), 'box/of the job that was deleted'))
      await build(1, { world: 'app-misc/other\n' })
      const error = await failure(() => take(store, 1))
      expect(error.code).to.equal('BUILD_CHANGED')
      expect(error.message).to.include(`jenkins:${JOB}`)
    })

    it('name the file that is lost', async () => {
      await build(1)
      renameSync(file(1, 'packages.tar'), join(artifacts(), 'elsewhere'))
      expect((await failure(() => take(newStore(), 1))).code).to.equal('FILE_MISSING')
      symlinkSync(join(artifacts(), 'elsewhere'), file(1, 'packages.tar'))
      const error = await failure(() => take(newStore(), 1))
      expect([error.code, error.message.includes('packages.tar')]).to.deep.equal(['FILE_MISSING', true])
      for (const name of ['../../config.xml', 'a/b', '']) {
        expect((await failure(() => source().open(box, 1, name))).code).to.equal('NAME_INVALID')
      }
    })

    it('may lie elsewhere, where no credentials are sent', async () => {
      await build(1, { packages: { 'a/one': large } })
      const store = await FakeJenkins.start()
      store.items.addBuild(JOB, { number: 1, artifacts: join(artifacts(), 'box/1') })
      const path = '/job/treeswap/job/machines/job/box/1/artifact/artifact/packages.tar'
      const signed = `${store.url}${path.slice(1)}?signature=hunter2`
      fake().fail(/packages\.tar/, redirects(signed), 3)
      store.fail(/packages\.tar/, breaksAfter(700_000))
      await take(newStore(), 1)
      expect(
        store.requests.map(({ headers: { authorization, cookie, range } }) => [authorization, cookie, range])[0],
      ).to.deep.equal([undefined, undefined, undefined])
      expect(store.requests).to.have.length(2)
      expect(store.requests[1]?.headers.authorization).to.equal(undefined)
      fake().fail(/packages\.tar/, redirects(signed), 3)
      store.fail(/packages\.tar/, answers(403))
      const { message, hint } = await failure(() => take(newStore('other'), 1))
      expect(message + hint).not.to.include('hunter2')
      fake().fail(/packages\.tar/, redirects(signed), 3)
      store.fail(/packages\.tar/, redirects(`${fake().url}job/treeswap/config.xml`))
      fake().requests.splice(0)
      expect((await failure(() => take(newStore('other'), 1))).code).to.equal('JENKINS_FORBIDDEN')
      const last = fake().requests.at(-1)
      expect([last?.url, last?.headers.authorization], 'nor on the way back').to.deep.equal([
        '/job/treeswap/config.xml',
        undefined,
      ])
      await store.stop()
    })

    it('stop at once when they are asked to', async () => {
      await build(1, { packages: { 'a/one': large } })
      const controller = new AbortController()
      fake().fail(/packages\.tar/, stallsAfter(100_000))
      const store = newStore()
      const context = { ...silent, signal: controller.signal }
      const pulled = failure(() => take(store, 1, source({}, controller.signal), context))
      await until(() => fake().requests.some(({ url }) => url.endsWith('packages.tar')))
      controller.abort()
      expect((await pulled).code).to.equal('ABORTED')
      await until(() => fake().openAnswers === 0)
      expect(listBuilds(store, 'box')).to.deep.equal([])
    })

    it('close their connection when a reader has had enough', async () => {
      await build(1, { packages: { 'a/one': large } })
      fake().fail(/packages\.tar/, neverEnds)
      const input = await source().open(box, 1, 'packages.tar')
      input.destroy()
      await until(() => fake().openAnswers === 0)
      expect(await buffer(await source().open(box, 1, 'packages.tar'))).to.deep.equal(
        readFileSync(file(1, 'packages.tar')),
      )
    })
  })
})

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).to.equal(true)
}
