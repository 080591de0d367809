import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../lab/temporary.js'
import { compile, treeswap } from './treeswap.js'

describe('treeswap config caddy', function () {
  this.timeout(120_000)
  before(compile)
  const directory = temporaryDirectory()

  it('says what --upload and --url need', async () => {
    const web = {
      host: 'web.example.org',
      user: 'www',
      directory: '/srv/www',
      'known-hosts': '/etc/ssh/ssh_known_hosts',
    }
    writeFileSync(join(directory(), 'treeswap.yaml'), JSON.stringify({ schema: 1, uploads: { web } }))
    const expected: [string[], string[]][] = [
      [
        ['--upload', 'web'],
        ['--upload needs --url', 'for example --url https://'],
      ],
      [
        ['--upload', 'web', '--url', 'ftp://x'],
        ['--url ftp://x: ', 'for example --url https://'],
      ],
      [
        ['--url', 'https://www.example.org'],
        ['only with --upload', 'publisher.http'],
      ],
      [
        ['--upload', 'extra', '--url', 'https://www.example.org'],
        ['no extra under uploads', 'it has web'],
      ],
    ]
    for (const [args, texts] of expected) {
      const { exitCode, stderr } = await treeswap(['config', 'caddy', ...args], { cwd: directory() })
      expect(exitCode, args.join(' ')).to.equal(10)
      for (const text of texts) expect(stderr).to.include(text)
    }
    const good = await treeswap(['config', 'caddy', '--upload', 'web', '--url', 'https://www.example.org/repos'], {
      cwd: directory(),
    })
    expect(good.stdout, good.stderr).to.include('root * /srv/www')
  })
})
