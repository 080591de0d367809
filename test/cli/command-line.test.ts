import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { commands } from '../../src/cli/commands.js'
import { makeKey } from '../signing/keys.js'
import type { KeyWishes } from '../signing/keys.js'
import { compile, documentOf, treeswap } from './treeswap.js'

describe('command line', function () {
  this.timeout(60_000)
  let directory = ''

  before(compile)
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'cli-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  for (const { name } of commands) {
    it(`shows an example in the help of ${name}`, async () => {
      const { exitCode, stdout } = await treeswap([...name.split(' '), '--help'])
      expect(exitCode).to.equal(0)
      expect(stdout).to.match(new RegExp(`Examples:\\n  treeswap ${name}`))
      expect(stdout).to.include('--json')
    })
  }

  it('shows the same help for help COMMAND as for COMMAND --help', async () => {
    for (const words of [[], ['chroot'], ['publish'], ['config', 'portage']]) {
      const asked = await treeswap(['help', ...words])
      expect(asked, words.join(' ')).to.deep.equal(await treeswap([...words, '--help']))
      expect(asked.stdout, words.join(' ')).to.match(new RegExp(`^treeswap ${words.join(' ')}`))
      expect(asked.exitCode).to.equal(0)
    }
  })

  it('prints its version for -V as for --version', async () => {
    const { exitCode, stdout } = await treeswap(['-V'])
    expect({ exitCode, stdout }).to.deep.include({ exitCode: 0, stdout: (await treeswap(['--version'])).stdout })
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/)
  })

  it('keeps its help within 80 columns, or those of the terminal up to 100', async () => {
    const widest = (text: string) => Math.max(...text.split(/\r?\n/).map((line) => line.length))
    for (const name of ['', 'chroot', ...commands.map((command) => command.name)]) {
      const { stdout } = await treeswap(['help', ...name.split(' ').filter(Boolean)])
      expect(widest(stdout), stdout).to.be.at.most(80)
    }
    const onTerminal = (columns: number) =>
      execFileSync(
        'script',
        ['-qec', `stty cols ${columns}; ${process.execPath} dist/treeswap.mjs build --help`, '/dev/null'],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
    expect(widest(onTerminal(200))).to.be.within(90, 100)
    expect(widest(onTerminal(60))).to.be.at.most(60)
  })

  it('names every command in its help', async () => {
    const groups = new Set(commands.flatMap(({ name }) => name.split(' ').slice(0, -1)))
    const texts = await Promise.all(
      [[], ...[...groups].map((group) => [group])].map((words) => treeswap(['help', ...words])),
    )
    const help = texts.map(({ stdout }) => stdout).join('\n')
    for (const { name } of commands) expect(help).to.match(new RegExp(`^  treeswap ${name}\\b`, 'm'))
  })

  const mistakes: [string[], RegExp][] = [
    [['publsh', 'x'], /no command "publsh"[^]*did you mean publish\?/],
    [['config', 'schem'], /no command "config schem"[^]*did you mean config schema\?/],
    [['publish', 'x', '--rot', '/x'], /treeswap publish has no option --rot[^]*did you mean --root\?/],
    [['list', '-x'], /no option -x/],
    [['publish'], /missing: REFERENCE/],
    [['publish', 'a', 'b'], /does not expect "b"/],
    [['pull', 'a@1'], /missing: --from/],
    [['list', '--root'], /--root needs a value/],
    [['list', '--root='], /root is empty/],
    [['list', '--root', '/a', '--root', '/b'], /--root was given more than once/],
    [['doctor', '--role', 'cook'], /^treeswap: --role cannot be "cook", only build, publish, serve \[USAGE\]/],
    [['doctor', '--role', 'serve', '--role', 'bild'], /--role cannot be "bild"[^]*did you mean build\?/],
    [['help', 'publsh'], /no command "publsh"[^]*did you mean publish\?/],
    [['list', '-V'], /no option -V/],
    [['publish', 'a', '--root', '/a', '--http', 'http://a', '--no-http'], /exclude each other/],
    [['list', '--', 'x'], /takes nothing after --/],
    [['pack', 'd', '--tree', 't', '--number', '0', '--out', 'o'], /--number must be a number from 1 on/],
    [[], /no command was given/],
    [['chroot'], /no command was given/],
    [['--root', '/srv'], /no command was given with --root/],
  ]
  for (const [args, message] of mistakes) {
    it(`explains \`treeswap ${args.join(' ')}\``, async () => {
      const { exitCode, stdout, stderr } = await treeswap(args)
      expect(stderr).to.match(message).and.to.include('[USAGE]')
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 10, stdout: '' })
      expect(stderr).not.to.include('    at ')
    })
  }

  it('prints errors as the one document on standard output with --json, whatever is wrong', async () => {
    const wrong = [
      { args: ['list', '--json', '--root', join(directory, 'no-store')], code: 'STORE_MISSING' },
      { args: ['publsh', '--json'], code: 'USAGE' },
      { args: ['--json'], code: 'USAGE', message: 'no command was given with --json' },
      { args: ['publish', '../x', '--json', '--root', directory], code: 'NAME_INVALID' },
      { args: ['show', 'x@!', '--json', '--root', directory], code: 'STORE_MISSING' },
      { args: ['run', '--json', '--config', join(directory, 'none.yaml')], code: 'CONFIG_MISSING' },
    ]
    for (const { args, code, message } of wrong) {
      const ended = await treeswap(args, { cwd: directory })
      const { schema, error } = documentOf(ended)
      expect(ended.exitCode, args.join(' ')).to.equal(10)
      expect(schema).to.equal(1)
      expect(error).to.include({ code, category: 'configuration', ...(message !== undefined && { message }) })
      expect(error?.hint).not.to.equal('')
    }
  })

  it('repeats nothing in an error that would steer the terminal', async () => {
    const { stderr } = await treeswap(['list', '--root', join(directory, 'a\u001b[2Jb')])
    expect(stderr).to.include(`${join(directory, 'ab')} is not`)
  })

  it('finds treeswap.yaml in the directory it is started in', async () => {
    writeFileSync(join(directory, 'treeswap.yaml'), 'schema: 1\n')
    const ended = await treeswap(['config', 'check', '--json'], { cwd: directory })
    expect(documentOf(ended)).to.deep.include({ schema: 1, file: join(directory, 'treeswap.yaml') })
  })

  it('says which machines there are wherever one is named that is not', async () => {
    const machine = '{ profile: { url: /srv/p }, repos: [gentoo] }'
    writeFileSync(
      join(directory, 'treeswap.yaml'),
      `schema: 1\nrepos: { gentoo: { url: /srv/g } }\nmachines: { database: ${machine}, web: ${machine} }\n`,
    )
    for (const args of [
      ['run', 'databse'],
      ['build', 'databse', '--repo', 'gentoo=dir:a', '--profile', 'p', '--out', 'o'],
      ['config', 'portage', 'databse'],
    ]) {
      const { error } = documentOf(await treeswap([...args, '--json'], { cwd: directory }))
      expect(error, args.join(' ')).to.include({ code: 'TREE_UNKNOWN', hint: 'did you mean database?' })
    }
    const { error } = documentOf(await treeswap(['config', 'portage', '--json'], { cwd: directory }))
    expect(error?.hint).to.match(/has database, web$/)
  })

  it('tells the error of a run once', async () => {
    writeFileSync(
      join(directory, 'treeswap.yaml'),
      `schema: 1
publisher: { root: store }
builder: { directory: builder }
repos: { gentoo: { url: ./nowhere } }
machines: { database: { profile: { url: ./p }, repos: [gentoo] } }
`,
    )
    const { error } = documentOf(await treeswap(['run', '--json'], { cwd: directory }))
    const { exitCode, stdout, stderr } = await treeswap(['run'], { cwd: directory })
    expect(exitCode).to.equal(11)
    expect(stdout).to.include(error?.message).and.to.include(error?.hint)
    expect(stderr).to.include('gentoo failed [GIT_FAILED]').and.not.to.include(error?.message)
  })

  it('sees whether what the configured roots are made from is there', async () => {
    writeFileSync(join(directory, 'treeswap.yaml'), 'schema: 1\nchroots: { database: { from: gone.tar.xz } }\n')
    const ended = await treeswap(['doctor', '--role', 'build'], { cwd: directory })
    expect(ended.exitCode).to.equal(11)
    expect(ended.stdout).to.match(/fail +build +chroot database +cannot be made: there is no .*gone\.tar\.xz/)
  })

  it('prints configurations that name the publisher, as text and for scripts', async () => {
    writeFileSync(
      join(directory, 'treeswap.yaml'),
      `schema: 1
publisher: { root: store, rsync: 'rsync://pkgs.example.org', http: 'http://pkgs.example.org' }
repos: { overlay: { url: /srv/o }, gentoo: { url: /srv/g } }
machines: { database: { profile: { url: /srv/p }, repos: [overlay, gentoo] } }
`,
    )
    for (const server of ['nginx', 'caddy', 'rsyncd']) {
      const { exitCode, stdout } = await treeswap(['config', server], { cwd: directory })
      expect(exitCode).to.equal(0)
      expect(stdout).to.include(join(directory, 'store/published'))
    }
    const text = await treeswap(['config', 'portage'], { cwd: directory })
    expect(text.stdout).to.include('sync-uri = rsync://pkgs.example.org/repos/database/overlay/')
    const { files, commands: printed } = documentOf(await treeswap(['config', 'portage', '--json'], { cwd: directory }))
    expect(files).to.have.length(2)
    expect(printed).to.deep.include({ what: 'fetch the ebuild repos', argv: ['emerge', '--sync'] })
  })

  it('prints what a client of a signed machine needs, but not for a key that it would refuse', async () => {
    const signed = async (wishes: KeyWishes) => {
      const { config } = await makeKey(join(directory, 'keys'), wishes)
      writeFileSync(
        join(directory, 'treeswap.yaml'),
        `schema: 1
publisher: { root: store, rsync: 'rsync://pkgs.example.org', http: 'http://pkgs.example.org' }
repos: { gentoo: { url: /srv/g } }
machines: { database: { sign: main, profile: { url: /srv/p }, repos: [gentoo] } }
keys: { main: { fingerprint: ${config.fingerprint}, public: keys/main.asc } }
`,
      )
      const printed = documentOf(await treeswap(['config', 'portage', '--json'], { cwd: directory }))
      return { fingerprint: config.fingerprint, printed }
    }
    const { fingerprint, printed } = await signed({})
    expect(JSON.stringify(printed.files)).to.include(`${fingerprint}:6:\\n`)
    expect(printed.trust).to.be.an('array').that.is.not.empty
    const expired = await signed({ days: 5 })
    expect(expired.printed.error).to.include({ code: 'KEY_EXPIRED' })
  })

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`ends with ${code} on ${signal}`, async () => {
      const silent = createServer(() => undefined)
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
      const address = silent.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      mkdirSync(join(directory, 'p'))
      writeFileSync(
        join(directory, 'treeswap.yaml'),
        `schema: 1
publisher: { root: store }
builder: { directory: builder }
repos: { gentoo: { url: 'git://127.0.0.1:${port}/x' } }
machines: { database: { profile: { url: ./p }, repos: [gentoo] } }
`,
      )
      const ended = await treeswap(['run', '--json'], {
        cwd: directory,
        watch: (child) => silent.once('connection', () => child.kill(signal)),
      })
      silent.close()
      expect(ended.exitCode).to.equal(code)
      expect(documentOf(ended).error).to.include({ code: 'ABORTED', category: 'aborted' })
    })
  }
})
