import { chmodSync, existsSync } from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { remoteTags, strangeHead } from '../../src/git/git-remote.js'
import { fetchGit } from '../../src/git/git.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const failure = async (action: Promise<unknown>): Promise<unknown> =>
  await action.then(
    () => 'it succeeded',
    (error: unknown) => error,
  )

describe('a remote that takes connections and never answers', () => {
  const directory = temporaryDirectory()
  let server: Server
  let address = ''

  before(async () => {
    server = createServer((socket) => socket.on('error', () => undefined).resume())
    address = await listening(server)
  })
  after(() => server.close())

  for (const scheme of ['git', 'http', 'ssh']) {
    it(`is given up by ${scheme}, whoever named it`, async () => {
      const url = `${scheme}://${address}/x.git`
      const asked = [
        strangeHead(url, undefined, silent, 1),
        remoteTags(url, silent, 1),
        fetchGit({ url }, join(directory(), 'clone'), silent, 1),
      ]
      for (const error of await Promise.all(asked.map(failure))) {
        expect(error).to.include({ code: 'GIT_FAILED', category: 'infrastructure' })
        expect(error)
          .to.have.property('message')
          .which.matches(/did not answer within 1 s|took longer than 1 s/)
      }
    })
  }
})

describe('a remote that a recipe names', () => {
  const directory = temporaryDirectory()
  const before = { ...process.env }

  afterEach(() => {
    for (const name of ['HOME', 'GIT_SSH', 'GIT_ASKPASS']) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = before[name]
    }
  })

  function script(name: string, text: string): string {
    writeFiles(directory(), { [name]: `#!/bin/sh\ntouch ${join(directory(), `${name}-was-run`)}\n${text}\n` })
    chmodSync(join(directory(), name), 0o755)
    return join(directory(), name)
  }
  const wasRun = (name: string): boolean => existsSync(join(directory(), `${name}-was-run`))

  it('gets no password of this user', async () => {
    const authorizations = new Set<string | undefined>()
    const server = createWebServer((request, answer) => {
      authorizations.add(request.headers.authorization)
      answer.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end()
    })
    const address = await listening(server)
    try {
      const helper = script('helper', 'echo username=me; echo password=secret')
      writeFiles(directory(), {
        '.gitconfig': `[credential]\n  helper = ${helper}\n`,
        '.netrc': 'machine 127.0.0.1 login me password secret\n',
      })
      process.env.HOME = directory()
      process.env.GIT_ASKPASS = script('asking', 'echo secret')
      expect(await failure(strangeHead(`http://${address}/x`, undefined, silent))).to.include({ code: 'GIT_FAILED' })
      expect([...authorizations]).to.deep.equal([undefined])
      expect([wasRun('helper'), wasRun('asking')]).to.deep.equal([false, false])
      // what the configuration names does
      await failure(remoteTags(`http://${address}/x`, silent))
      expect([...authorizations]).to.have.length(2)
    } finally {
      server.close()
    }
  })

  it('gets no key of this user', async () => {
    process.env.GIT_SSH = script('ssh-with-key', 'exit 1')
    expect(await failure(strangeHead('ssh://127.0.0.1:1/x', undefined, silent))).to.include({ code: 'GIT_FAILED' })
    expect(wasRun('ssh-with-key')).to.equal(false)
    await failure(remoteTags('ssh://127.0.0.1:1/x', silent))
    expect(wasRun('ssh-with-key')).to.equal(true)
  })

  it('is none of this host, whatever git would make of it', async () => {
    for (const url of [directory(), `file://${directory()}`, 'ext::sh -c false']) {
      const error = await failure(strangeHead(url, undefined, silent))
      expect(error).to.include({ code: 'GIT_FAILED' })
      expect(error)
        .to.have.property('message')
        .which.matches(/not allowed/)
    }
  })
})
