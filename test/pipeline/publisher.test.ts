import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.js'
import { parseConfig } from '../../src/config/load.js'
import { encodeRequest, parseAnswer, parseRequest, requestFor } from '../../src/pipeline/publish-request.js'
import type { PublishAnswer, PublishRequest } from '../../src/pipeline/publish-request.js'
import { serveRequest } from '../../src/pipeline/publisher.js'
import { fakeJenkins } from '../jenkins/fake-jenkins.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import { archive, failure } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'

describe('a publisher that is asked', () => {
  const directory = temporaryDirectory()
  const jenkins = fakeJenkins({ users: { publisher: { token: 'token1', password: 'x' } } })

  /** The publisher's own. */
  function site(more = ''): Config {
    const token = join(directory(), 'token')
    writeFileSync(token, 'token1\n', { mode: 0o600 })
    const { url } = jenkins()
    const section = `jenkins: { url: '${url}', user: publisher, token-file: ${token}, folder: infra/treeswap }`
    return parseConfig(`schema: 1\npublisher: { root: store }\n${section}\n${more}`, join(directory(), 'treeswap.yaml'))
  }

  const ask = (request: Omit<PublishRequest, 'schema'>, config = site(), from?: string): Promise<PublishAnswer> =>
    serveRequest(encodeRequest(request), { config, from }, silent)

  async function built(number: number, state: { building?: boolean; result?: string | null } = {}) {
    await archive(join(directory(), 'artifacts'), number)
    const artifacts = join(directory(), 'artifacts/box', String(number))
    jenkins().items.addBuild('infra/treeswap/machines/box', { number, artifacts, ...state })
  }

  it('takes builds from the job of that tree in the folder of its own configuration', async () => {
    await built(1)
    await built(2)
    expect(await ask({ action: 'publish', tree: 'box', build: 1 })).to.include({ build: 1, serial: 1 })
    expect(await ask({ action: 'publish', tree: 'box' })).to.include({ build: 2, serial: 2 })
    jenkins().takeRequests()
    expect(await ask({ action: 'rollback', tree: 'box' })).to.include({ build: 1, serial: 3 })
    expect(jenkins().takeRequests(), 'what is in the store is all that a rollback needs').to.deep.equal([])
  })

  it('takes a build that is still running only where the request says so', async () => {
    await built(1, { building: true, result: null })
    expect(await failure(ask({ action: 'publish', tree: 'box', build: 1 }))).to.include({ code: 'BUILD_RUNNING' })
    expect(await ask({ action: 'publish', tree: 'box', build: 1, running: true })).to.include({ build: 1 })
    await built(2, { building: true, result: 'FAILURE' })
    const failing = ask({ action: 'publish', tree: 'box', build: 2, running: true })
    expect(await failure(failing)).to.include({ code: 'BUILD_NOT_SUCCESSFUL' })
  })

  it('signs pacman repos with the key of its own configuration', async () => {
    const { config: key } = await makeKey(join(directory(), 'keys'))
    await archiveRepo(join(directory(), 'artifacts'), 1, { one: {} })
    const artifacts = join(directory(), 'artifacts/lab/1')
    jenkins().items.addBuild('infra/treeswap/packages/lab', { number: 1, artifacts, result: 'UNSTABLE' })
    const keys = `keys: { main: { fingerprint: ${key.fingerprint}, public: ${key.publicFile}, secret: ${key.secretFile ?? ''} } }`
    const config = site(`${keys}\npacman: { lab: { sign: main, repositories: [{ url: ./recipes }] } }`)
    const { fingerprint } = key
    expect(await ask({ action: 'publish', tree: 'lab' }, config)).to.include({ build: 1, signed: fingerprint })
    expect(await failure(ask({ action: 'publish', tree: 'bal' }, config))).to.include({ code: 'TREE_UNKNOWN' })
    const unsigned = site('pacman: { lab: { repositories: [{ url: ./recipes }] } }')
    expect(await failure(ask({ action: 'rollback', tree: 'lab', build: 1 }, unsigned))).to.include({
      code: 'SIGNING_KEY_MISSING',
    })
  })

  it('takes them from where its administrator says instead', async () => {
    await archive(join(directory(), 'elsewhere'), 7)
    const from = `dir:${join(directory(), 'elsewhere')}`
    expect(await ask({ action: 'publish', tree: 'box' }, site(), from)).to.include({ build: 7 })
    expect(jenkins().takeRequests()).to.deep.equal([])
  })

  it('knows no other trees than the machines of its configuration, if that has any', async () => {
    const machines = `repos: { gentoo: { url: /g } }\nmachines: { database: { profile: { url: /p }, repos: [gentoo] } }`
    for (const action of ['publish', 'rollback'] as const) {
      const error = await failure(ask({ action, tree: 'databse' }, site(machines)))
      expect(error).to.include({ code: 'TREE_UNKNOWN', hint: 'did you mean database?' })
    }
    expect(jenkins().takeRequests()).to.deep.equal([])
  })

  it('refuses what is no request', async () => {
    const refused: [string, string][] = [
      ['', 'REQUEST_INVALID'],
      ['[]', 'REQUEST_INVALID'],
      ['{"schema":1}', 'REQUEST_INVALID'],
      ['{"schema":1,"action":"publish","tree":"box","from":"dir:/"}', 'REQUEST_INVALID'],
      ['{"schema":1,"action":"publish","tree":"box","build":1,"reference":"2"}', 'REQUEST_INVALID'],
      ['{"schema":1,"action":"publish","tree":"box","running":true}', 'REQUEST_INVALID'],
      ['{"schema":1,"action":"rollback","tree":"box","build":1,"running":true}', 'REQUEST_INVALID'],
      ['{"schema":1,"action":"publish","tree":"box","build":1.5}', 'REQUEST_INVALID'],
      ['{"schema":1,"action":"publish","tree":".."}', 'NAME_INVALID'],
      ['{"schema":3,"verb":"publish"}', 'REQUEST_TOO_NEW'],
    ]
    for (const [text, code] of refused) {
      const error = await failure(serveRequest(text, { config: site(), from: undefined }, silent))
      expect(error, text).to.include({ code })
    }
  })

  it('understands every reference that the other side sends', () => {
    for (const build of [
      undefined,
      { kind: 'number', number: 3 },
      { kind: 'latest' },
      { kind: 'published' },
      { kind: 'previous' },
      { kind: 'tag', tag: 'stable' },
    ] as const) {
      const sent = encodeRequest(requestFor('rollback', { tree: 'box', build }))
      expect(parseRequest(sent).reference).to.deep.equal({ tree: 'box', build })
    }
  })

  it('is quoted with its host, code and category, and in nothing else', () => {
    const error = { code: 'NO_PREVIOUS', message: 'none', hint: 'wait', category: 'publish' }
    const heard = (text: string): unknown => {
      try {
        return parseAnswer(text, 'pkgs')
      } catch (caught) {
        return caught
      }
    }
    expect(heard(JSON.stringify({ schema: 1, error }))).to.include({ ...error, message: 'the publisher pkgs: none' })
    for (const wrong of [{ error: { ...error, category: 'x' } }, { error: { ...error, code: 'no code' } }, {}]) {
      expect(heard(JSON.stringify({ schema: 1, ...wrong }))).to.include({ code: 'ANSWER_INVALID' })
    }
    expect(heard('\n\n{"schema":2}')).to.include({ code: 'ANSWER_TOO_NEW' })
    expect(heard('bash: treeswap: not found')).to.include({ code: 'ANSWER_INVALID' })
  })
})
