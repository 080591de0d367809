import { expect } from 'chai'
import * as z from 'zod'
import { openJenkins } from '../../src/jenkins/client.js'
import type { Jenkins } from '../../src/jenkins/client.js'
import type { Access } from '../../src/jenkins/access.js'
import { createItem, listItems, readItem, updateItem } from '../../src/jenkins/items.js'
import { freePorts } from '../lab/ports.js'
import { failure } from '../artifact/collect.js'
import { answers, breaksAfter, drops, endsAfter, isSilent, neverEnds, redirects } from './fake-faults.js'
import { showsLogin, stallsAfter } from './fake-faults.js'
import { FakeJenkins, fakeJenkins } from './fake-jenkins.js'

const JOB = 'treeswap/machines/database'
const users = {
  treeswap: { token: '11aa22bb', password: 'correct horse', hidden: ['secret'] },
  reader: { token: '33cc44dd', password: 'x', readOnly: true },
}
const limits = { answer: 400, idle: 400, pauses: [5, 5] }
const names = z.object({ fullName: z.string() })

function open(fake: FakeJenkins, access: Partial<Access> = {}, told: string[] = []): Jenkins {
  const nothing = (): void => undefined
  const report = { step: nothing, progress: nothing, line: nothing, warn: (text: string) => told.push(text) }
  return openJenkins({ url: fake.url, user: 'treeswap', token: '11aa22bb', ...access }, { limits, report })
}

describe('asking Jenkins', () => {
  const fake = fakeJenkins({ users, contextPath: '/ci' })
  const read = (jenkins: Jenkins, job = JOB) => {
    return jenkins.getJson(`job/${job.split('/').join('/job/')}`, 'fullName', names)
  }
  beforeEach(() => {
    fake().items.add(JOB)
    fake().items.add('secret/job')
  })

  it('asks below its context path, only for what it needs, in its own name', async () => {
    expect(await read(open(fake()))).to.deep.equal({ fullName: JOB })
    const [request] = fake().requests
    expect(request?.url).to.equal('/ci/job/treeswap/job/machines/job/database/api/json?tree=fullName')
    expect(request?.headers['accept-encoding']).to.equal('identity')
    expect(request?.headers['user-agent']).to.match(/^treeswap\//)
  })

  it('tells wrong credentials, too few rights and what is not there apart, and repeats none of them', async () => {
    const cases: [Partial<Access>, string, string, RegExp][] = [
      [{ token: 'wrong-token' }, JOB, 'JENKINS_UNAUTHORIZED', /token was not revoked/],
      [{ user: 'nobody' }, JOB, 'JENKINS_UNAUTHORIZED', /id, not a full name/],
      [{}, 'treeswap/gone', 'JENKINS_NOT_FOUND', /treeswap has Job\/Read/],
      [{}, 'secret/job', 'JENKINS_NOT_FOUND', /hides|Job\/Read/],
    ]
    for (const [access, job, code, hint] of cases) {
      const error = await failure(() => read(open(fake(), access), job))
      expect(error.code).to.equal(code)
      expect(error.hint).to.match(hint)
    }
    const anonymous = await failure(() => read(openJenkins({ url: fake().url })))
    expect([anonymous.code, anonymous.category]).to.deep.equal(['JENKINS_FORBIDDEN', 'configuration'])
    expect(anonymous.hint).to.include('TREESWAP_JENKINS_TOKEN')
    const reader = open(fake(), { user: 'reader', token: '33cc44dd' })
    expect((await failure(() => reader.post('job/treeswap/disable'))).hint).to.include('give reader')
    expect(fake().requests).to.have.length(6)
  })

  it('says that it is no Jenkins where the answer has no sign of it', async () => {
    fake().fail(/./, (_, response) => {
      response.removeHeader('X-Jenkins')
      response.writeHead(404).end()
    })
    expect((await failure(() => read(open(fake())))).hint).to.include('may be no Jenkins')
  })

  it('recognises a login page, whether it comes with 200, by a redirect or as half of an answer', async () => {
    fake().fail(/./, showsLogin(200))
    fake().fail(/./, redirects('/ci/login?from=%2F'))
    fake().fail(/./, redirects('/ci/securityRealm/commenceLogin?from=x'))
    fake().fail(/./, answers(200, { 'content-type': 'application/json' }, '<!doctype html>'))
    for (let count = 0; count < 4; count++) {
      const error = await failure(() => read(open(fake())))
      expect(error.code).to.equal('JENKINS_LOGIN_PAGE')
    }
    fake().fail(/./, showsLogin(403))
    expect((await failure(() => read(open(fake())))).code).to.equal('JENKINS_FORBIDDEN')
  })

  it('refuses JSON that is none, that is cut off or that nobody would write', async () => {
    for (const body of ['', '{"fullName": "x', '[]', '{"fullName": 7}']) {
      fake().fail(/./, answers(200, { 'content-type': 'application/json' }, body))
      expect((await failure(() => read(open(fake())))).code, body).to.equal('JENKINS_ANSWER')
    }
    fake().fail(/./, endsAfter(10))
    expect((await failure(() => read(open(fake())))).code).to.equal('JENKINS_ANSWER')
  })

  it('tries again where a question is lost, and says so', async () => {
    for (const fault of [drops, breaksAfter(5), isSilent, stallsAfter(5), answers(503), answers(502), answers(504)]) {
      const told: string[] = []
      fake().fail(/./, fault, 2)
      expect(await read(open(fake(), {}, told))).to.deep.equal({ fullName: JOB })
      expect(told).to.have.length(2)
      expect(told[0]).to.include('trying again')
    }
  })

  it('gives up after a few tries, with what was the matter', async () => {
    const cases: [Parameters<FakeJenkins['fail']>[1], string][] = [
      [drops, 'JENKINS_BROKEN'],
      [breaksAfter(5), 'JENKINS_BROKEN'],
      [isSilent, 'JENKINS_SILENT'],
      [stallsAfter(5), 'JENKINS_SILENT'],
      [answers(503), 'JENKINS_BUSY'],
    ]
    for (const [fault, code] of cases) {
      fake().takeRequests()
      fake().fail(/./, fault, 3)
      const error = await failure(() => read(open(fake())))
      expect([error.code, error.category]).to.deep.equal([code, 'infrastructure'])
      expect(fake().takeRequests()).to.have.length(3)
    }
    fake().fail(/./, answers(500))
    expect((await failure(() => read(open(fake())))).code).to.equal('JENKINS_FAILED')
    expect(fake().takeRequests(), 'an error inside of Jenkins is not mended by asking again').to.have.length(1)
  })

  it('says where nothing listens', async () => {
    const [port] = await freePorts(1)
    const jenkins = openJenkins({ url: `http://127.0.0.1:${port ?? 0}/` }, { limits })
    const error = await failure(() => read(jenkins))
    expect(error.code).to.equal('JENKINS_UNREACHABLE')
    expect(error.message).to.include('ECONNREFUSED')
  })

  it('reads no body without an end', async () => {
    fake().fail(/./, neverEnds)
    const error = await failure(() => open(fake()).getText('job/treeswap/config.xml', 100_000))
    expect([error.code, error.message.includes('100000')]).to.deep.equal(['JENKINS_ANSWER', true])
    await until(() => fake().openAnswers === 0)
  })

  it('stops at once when it is asked to', async () => {
    const controller = new AbortController()
    const jenkins = openJenkins({ url: fake().url }, { signal: controller.signal })
    fake().fail(/./, isSilent)
    const question = failure(() => read(jenkins))
    await until(() => fake().requests.length === 1)
    controller.abort()
    expect((await question).code).to.equal('ABORTED')
    await until(() => fake().openAnswers === 0)
    expect((await failure(() => read(jenkins))).code).to.equal('ABORTED')
  })

  it('follows Jenkins inside of its origin, with an end, and nowhere else', async () => {
    fake().fail(/machines/, redirects(`${fake().url}job/treeswap/api/json?tree=fullName`))
    expect(await read(open(fake()))).to.deep.equal({ fullName: 'treeswap' })
    fake().fail(/./, redirects('api/json'), 100)
    const error = await failure(() => read(open(fake())))
    expect([error.code, error.message.includes('without an end')]).to.deep.equal(['JENKINS_ANSWER', true])
    fake().takeRequests()
    const other = await FakeJenkins.start()
    const moved = open(other)
    for (const location of [fake().url, 'https://ci.invalid/', 'ftp://x/', 'http://u:p@x/', 'http://[']) {
      other.fail(/./, redirects(location))
      expect((await failure(() => read(moved))).code, location).to.be.oneOf(['JENKINS_MOVED', 'JENKINS_ANSWER'])
    }
    await other.stop()
    expect(fake().takeRequests()).to.deep.equal([])
  })
})

describe('telling Jenkins', () => {
  const fake = fakeJenkins({ users })
  beforeEach(() => fake().items.add(JOB))
  const path = 'job/treeswap/job/machines/job/database'

  it('makes, reads, lists and changes jobs and folders', async () => {
    const jenkins = open(fake())
    await createItem(jenkins, 'top', '<com.cloudbees.hudson.plugins.folder.Folder/>')
    await createItem(jenkins, 'top/a job', '<flow-definition/>')
    expect(await readItem(jenkins, 'top/a job')).to.match(/^<flow-definition|^<\?xml/)
    await updateItem(jenkins, 'top/a job', '<flow-definition>é</flow-definition>')
    expect(await readItem(jenkins, 'top/a job')).to.include('é</flow-definition>')
    expect(await listItems(jenkins, 'top')).to.deep.equal(['a job'])
    expect(await listItems(jenkins, '')).to.have.members(['top', 'treeswap'])
    expect(await readItem(jenkins, 'top/other')).to.equal(undefined)
    expect(await jenkins.exists('job/top')).to.equal(true)
    expect(await jenkins.exists('job/gone')).to.equal(false)
  })

  it('repeats what Jenkins says about a refusal', async () => {
    const error = await failure(() => createItem(open(fake()), 'treeswap', '<x/>'))
    expect(error.code).to.equal('JENKINS_REFUSED')
    expect(error.message).to.include("A job already exists with the name 'treeswap'")
    fake().fail(/./, answers(400, { 'x-error': 'a\u009b2J' + 'b'.repeat(1000) }))
    const { message } = await failure(() => createItem(open(fake()), 'x', '<x/>'))
    expect(message).to.match(/: a 2Jb+$/)
    expect(message.length).to.be.lessThan(500)
  })

  it('asks for no crumb where it has a token', async () => {
    await open(fake()).post(`${path}/disable`)
    expect(fake().takeRequests()).to.deep.equal([`POST /${path}/disable`])
    expect(fake().items.get(JOB)?.disabled).to.equal(true)
  })

  it('keeps crumb and session where it has a password, and gets new ones where they are old', async () => {
    const jenkins = open(fake(), { token: undefined, password: 'correct horse' } as unknown as Access)
    await jenkins.post(`${path}/disable`)
    await jenkins.post(`${path}/enable`)
    expect(fake().takeRequests()).to.deep.equal([
      'GET /crumbIssuer/api/json',
      `POST /${path}/disable`,
      `POST /${path}/enable`,
    ])
    fake().fail(/POST/, answers(403, {}, 'No valid crumb was included in the request'))
    await jenkins.post(`${path}/disable`)
    expect(fake().takeRequests()).to.have.length(3)
    fake().fail(/POST/, answers(403, {}, 'No valid crumb was included in the request'), 2)
    expect((await failure(() => jenkins.post(`${path}/enable`))).code).to.equal('JENKINS_FORBIDDEN')
    expect(fake().items.get(JOB)?.disabled).to.equal(true)
  })

  it('does without crumbs where there are none', async () => {
    const open = await FakeJenkins.start()
    open.items.add('job')
    await openJenkins({ url: open.url }, { limits }).post('job/job/disable')
    expect(open.takeRequests()).to.deep.equal(['GET /crumbIssuer/api/json', 'POST /job/job/disable'])
    await open.stop()
  })

  it('sends nothing a second time that may have arrived', async () => {
    for (const fault of [drops, isSilent, answers(503), answers(500)]) {
      fake().fail(/POST/, fault)
      const error = await failure(() => open(fake()).post(`${path}/build`))
      expect(error.category).to.equal('infrastructure')
      expect(fake().takeRequests()).to.have.length(1)
    }
    fake().fail(/POST/, drops)
    expect((await failure(() => open(fake()).post(`${path}/build`))).hint).to.include('before you repeat it')
  })

  it('sends again what never left', async () => {
    const [port = 0] = await freePorts(1)
    const told: string[] = []
    const nothing = (): void => undefined
    const report = { step: nothing, progress: nothing, line: nothing, warn: (text: string) => told.push(text) }
    const jenkins = openJenkins({ url: `http://127.0.0.1:${port}/`, user: 'a', token: 'b' }, { limits, report })
    expect((await failure(() => jenkins.post('x'))).code).to.equal('JENKINS_UNREACHABLE')
    expect(told).to.have.length(2)
  })

  it('takes no redirect to a login or to another place for success', async () => {
    const cases: [string, string][] = [
      ['/login?from=%2F', 'JENKINS_LOGIN_PAGE'],
      ['https://sso.invalid/start?to=x', 'JENKINS_MOVED'],
      [`https://127.0.0.1/${path}/build`, 'JENKINS_MOVED'],
      ['http://[', 'JENKINS_ANSWER'],
    ]
    for (const [location, code] of cases) {
      fake().fail(/POST/, redirects(location))
      expect((await failure(() => open(fake()).post(`${path}/build`))).code, location).to.equal(code)
    }
    fake().fail(/POST/, showsLogin(200))
    expect((await failure(() => open(fake()).post(`${path}/build`))).code).to.equal('JENKINS_LOGIN_PAGE')
    fake().fail(/POST/, (...all) => {
      all[1].removeHeader('X-Jenkins')
      return answers(200, { 'content-type': 'text/html' }, '<!DOCTYPE html><script src="/sso.js"></script>')(...all)
    })
    const { code } = await failure(() => createItem(open(fake()), 'new', '<x/>'))
    expect(code, 'a page of what stands before Jenkins').to.equal('JENKINS_LOGIN_PAGE')
    fake().fail(/POST/, redirects('/job/x/', 307))
    expect((await failure(() => open(fake()).post(`${path}/build`))).code).to.equal('JENKINS_REFUSED')
  })
})

describe('credentials', () => {
  const fake = fakeJenkins({ users })

  it('are in no message, and no URL may hold them', async () => {
    const bad = failure(() => openJenkins({ url: 'https://me:hunter2@ci.example.org/' }))
    expect((await bad).code).to.equal('JENKINS_URL_INVALID')
    expect(JSON.stringify([(await bad).message, (await bad).hint])).not.to.include('hunter2')
    const secrets = ['hunter2', Buffer.from('treeswap:hunter2').toString('base64')]
    for (const fault of [answers(401), answers(403), answers(404), answers(500), drops, showsLogin(200)]) {
      fake().fail(/./, fault, 3)
      const error = await failure(() => open(fake(), { token: 'hunter2' }).getText('x'))
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
        for (const secret of secrets) expect(`${cause.message} ${cause.stack ?? ''}`).not.to.include(secret)
      }
    }
  })
})

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).to.equal(true)
}
