import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { openJenkins } from '../../src/jenkins/client.js'
import { failure } from '../artifact/collect.js'
import { compile, documentOf, treeswap } from '../cli/treeswap.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { archive } from '../store/machine.js'
import { fakeJenkins } from './fake-jenkins.js'

const JOB = 'treeswap/machines/box'

describe('Jenkins behind TLS', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  const fake = fakeJenkins({ users: { treeswap: { token: '11aa22bb', password: 'x' } } })
  const file = (name: string): string => join(directory(), name)
  let front: Server
  let url = ''
  /** what is answered with a redirect, and where to */
  let elsewhere: { match: RegExp; to: (path: string) => string } | undefined

  before(compile)
  beforeEach(async () => {
    writeFiles(directory(), { x: '' })
    const made = ['-keyout', file('key.pem'), '-out', file('ca.pem'), '-days', '1', '-subj', '/CN=127.0.0.1']
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    execFileSync('openssl', ['req', ...kind, ...made, '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' })
    elsewhere = undefined
    front = createServer({ key: readFileSync(file('key.pem')), cert: readFileSync(file('ca.pem')) })
    front.on('request', (asked, response) => {
      const { url: path = '', method, headers } = asked
      if (elsewhere?.match.test(path)) return response.writeHead(302, { location: elsewhere.to(path) }).end()
      const passed = request(fake().url.slice(0, -1) + path, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
      return asked.pipe(passed)
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    url = `https://127.0.0.1:${(front.address() as AddressInfo).port}/`
    await archive(file('artifacts'), 7)
    fake().items.addBuild(JOB, { number: 7, artifacts: file('artifacts/box/7') })
  })
  afterEach(() => {
    front.closeAllConnections()
    front.close()
  })

  /** NODE_EXTRA_CA_CERTS is read when Node starts. */
  async function pull(more: Record<string, string> = { NODE_EXTRA_CA_CERTS: file('ca.pem') }) {
    const credentials = { TREESWAP_JENKINS_USER: 'treeswap', TREESWAP_JENKINS_TOKEN: '11aa22bb' }
    const args = ['pull', 'box@7', '--from', `jenkins:${JOB}`, '--root', 'store', '--json']
    return documentOf(await treeswap(args, { cwd: directory(), env: { JENKINS_URL: url, ...credentials, ...more } }))
  }

  it('is asked for nothing while its certificate is not trusted', async () => {
    const access = { url, user: 'treeswap', token: '11aa22bb' }
    const error = await failure(() => openJenkins(access, { limits: { pauses: [60_000] } }).getText('x'))
    expect([error.code, error.category]).to.deep.equal(['JENKINS_CERTIFICATE', 'configuration'])
    expect(error.hint).to.include('NODE_EXTRA_CA_CERTS=')
    expect((await failure(() => openJenkins(access).post('x'))).code).to.equal('JENKINS_CERTIFICATE')
    expect((await pull({})).error?.code).to.equal('JENKINS_CERTIFICATE')
    expect(fake().requests).to.deep.equal([])
  })

  it('is trusted where its certificate authority is named, but not under another name', async () => {
    expect(await pull()).to.include({ number: 7, already: false })
    url = url.replace('127.0.0.1', 'localhost')
    expect((await pull()).error?.code).to.equal('JENKINS_CERTIFICATE')
  })

  it('is not followed to where there is no TLS, with artifacts as little as with anything else', async () => {
    for (const match of [/packages\.tar/, /build\.json/, /api\/json/]) {
      elsewhere = { match, to: (path) => `${fake().url.slice(0, -1)}/elsewhere${path}` }
      fake().takeRequests()
      const { error } = await pull()
      expect(error?.code, match.source).to.equal('JENKINS_MOVED')
      expect(fake().takeRequests().join()).not.to.include('elsewhere')
    }
  })
})
