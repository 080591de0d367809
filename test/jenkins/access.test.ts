import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { resolveJenkins } from '../../src/config/jenkins.js'
import { jenkins as section } from '../../src/config/jenkins-schema.js'
import { accessTo } from '../../src/jenkins/access.js'
import { hideCredentials, sshKeyFile } from '../../src/system/environment.js'
import { failure } from '../artifact/collect.js'
import { temporaryDirectory } from '../lab/temporary.js'

const NAMES = ['JENKINS_URL', 'TREESWAP_JENKINS_USER', 'TREESWAP_JENKINS_TOKEN', 'TREESWAP_JENKINS_PASSWORD']

describe('access to Jenkins', () => {
  const directory = temporaryDirectory()
  const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]))
  beforeEach(() => NAMES.forEach((name) => Reflect.deleteProperty(process.env, name)))
  afterEach(() => {
    for (const name of NAMES) process.env[name] = ''
    hideCredentials()
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
  })

  const configured = (written: object) => resolveJenkins(section.parse(written), directory())
  const token = (text: string, mode = 0o600): string => {
    mkdirSync(directory(), { recursive: true })
    writeFileSync(join(directory(), 'token'), text)
    chmodSync(join(directory(), 'token'), mode)
    return 'token'
  }

  it('is what the configuration says', () => {
    const written = { url: 'https://ci.example.org/x/', user: 'u', 'token-file': token('11aa\n') }
    expect(accessTo(configured(written))).to.deep.equal({ url: 'https://ci.example.org/x', user: 'u', token: '11aa' })
    expect(accessTo(configured({ url: 'https://ci.example.org' }))).to.deep.equal({ url: 'https://ci.example.org' })
  })

  it('refuses a file that everybody reads, or that holds no token', async () => {
    const cases: [string, number][] = [
      ['11aa', 0o644],
      ['', 0o600],
      ['two words', 0o600],
      ['x'.repeat(5000), 0o600],
    ]
    for (const [text, mode] of cases) {
      const written = { url: 'https://ci.example.org', 'token-file': token(text, mode) }
      const error = await failure(() => accessTo(configured(written)))
      expect(error.code).to.equal('TOKEN_FILE')
      if (text !== '') expect(error.message).not.to.include(text)
    }
    const gone = { url: 'https://ci.example.org', 'token-file': 'gone' }
    expect((await failure(() => accessTo(configured(gone)))).code).to.equal('TOKEN_FILE')
  })

  it('is denied to a user who may not read the file, and says which mode and group it takes', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const written = configured({ url: 'https://ci.example.org', 'token-file': token('11aa', 0o600) })
    for (const mode of [0o711, 0o700]) {
      chmodSync(directory(), mode)
      process.seteuid!(65_534)
      const error = await failure(() => accessTo(written)).finally(() => process.seteuid!(0))
      expect(error).to.include({ code: 'TOKEN_FILE', category: 'configuration' })
      expect(error.message).to.contain('cannot be read by this user')
      expect(error.hint).to.contain('group of the user who runs this').and.to.contain('chmod 0640')
    }
  })

  it('is what the environment says where the configuration is silent, and no child inherits it', async () => {
    expect((await failure(() => accessTo(undefined))).code).to.equal('JENKINS_URL_MISSING')
    process.env.JENKINS_URL = 'https://ci.example.org/'
    process.env.TREESWAP_JENKINS_USER = 'u'
    process.env.TREESWAP_JENKINS_TOKEN = 'secret'
    const access = { url: 'https://ci.example.org/', user: 'u', token: 'secret' }
    expect(accessTo(undefined)).to.deep.equal(access)
    expect(execFileSync('env', { encoding: 'utf8' })).not.to.include('secret')
    process.env.TREESWAP_JENKINS_USER = ''
    expect(accessTo(configured({ user: 'other' }))).to.deep.equal({ ...access, user: 'other' })
    process.env.JENKINS_URL = 'https://u:hunter2@ci.example.org/'
    const error = await failure(() => accessTo(undefined))
    expect([error.code, error.message.includes('hunter2')]).to.deep.equal(['JENKINS_URL_INVALID', false])
  })

  it('is that of the job which runs, in one piece, whatever the configuration has for people', () => {
    process.env.JENKINS_URL = 'https://ci.example.org/'
    process.env.TREESWAP_JENKINS_USER = 'treeswap-read'
    process.env.TREESWAP_JENKINS_TOKEN = 'secret'
    const people = configured({ user: 'admin', 'token-file': 'a file that this agent has not' })
    const access = { url: 'https://ci.example.org/', user: 'treeswap-read' }
    expect(accessTo(people)).to.deep.equal({ ...access, token: 'secret' })
    process.env.TREESWAP_JENKINS_TOKEN = ''
    process.env.TREESWAP_JENKINS_PASSWORD = 'correct horse'
    expect(accessTo(people)).to.deep.equal({ ...access, password: 'correct horse' })
  })

  it('to a publisher is a key whose name no child inherits either', () => {
    process.env.TREESWAP_SSH_KEY = '/run/key'
    expect(sshKeyFile()).to.equal('/run/key')
    expect(execFileSync('env', { encoding: 'utf8' })).not.to.include('/run/key')
    expect(sshKeyFile()).to.equal('/run/key')
    process.env.TREESWAP_SSH_KEY = ''
    expect(sshKeyFile()).to.equal(undefined)
  })

  it("sends no credentials to another Jenkins than the environment's, wherever a configuration leads", async () => {
    process.env.JENKINS_URL = 'https://ci.example.org/'
    process.env.TREESWAP_JENKINS_USER = 'u'
    process.env.TREESWAP_JENKINS_TOKEN = 'secret'
    const error = await failure(() => accessTo(configured({ url: 'https://evil.example.org/' })))
    expect([error.code, error.message.includes('secret')]).to.deep.equal(['JENKINS_URL_DIFFERENT', false])
    const file = { url: 'https://evil.example.org/', user: 'u', 'token-file': token('secret') }
    expect((await failure(() => accessTo(configured(file)))).code).to.equal('JENKINS_URL_DIFFERENT')
    expect(accessTo(configured({ url: 'https://ci.example.org/jenkins' }))).to.include({ token: 'secret' })
  })
})
