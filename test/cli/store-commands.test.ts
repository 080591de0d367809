import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { archiveRepo } from '../store/repo.js'
import { compile, documentOf, treeswap } from './treeswap.js'

interface Package {
  cpv: string
  buildId: number
  bytes: number
}

describe('commands that need nothing but --root', function () {
  this.timeout(120_000)
  let directory = ''

  before(compile)
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'cli-store-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  function put(path: string, content: string | Buffer): void {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }

  /** What a build leaves for `treeswap pack`. */
  function makeResult(packages: readonly Package[]): void {
    rmSync(join(directory, 'result'), { recursive: true, force: true })
    put('result/repos/gentoo/profiles/repo_name', 'gentoo\n')
    put('result/etc-portage/make.conf', 'USE=""\n')
    put('result/var-lib-portage/world', 'sys-apps/hello\n')
    const stanzas = packages.map(({ cpv, buildId, bytes }) => {
      const path = `${cpv}-${buildId}.gpkg.tar`
      put(`result/binpkgs/${path}`, Buffer.alloc(bytes, `${cpv} ${buildId} `))
      return `BUILD_ID: ${buildId}\nBUILD_TIME: ${buildId}\nCPV: ${cpv}\nPATH: ${path}\nSIZE: ${bytes}\n`
    })
    put('result/binpkgs/Packages', [`ARCH: amd64\nPACKAGES: ${packages.length}\n`, ...stanzas].join('\n') + '\n')
  }

  /** As builds have one. */
  function addLog(artifact: string, text: string): void {
    const content = execFileSync('zstd', ['-qc'], { input: text })
    put(`${artifact}/build.log.zst`, content)
    const record = join(directory, artifact, 'build.json')
    const build = JSON.parse(readFileSync(record, 'utf8')) as object
    const sha256 = createHash('sha256').update(content).digest('hex')
    writeFileSync(record, JSON.stringify({ ...build, log: { file: 'build.log.zst', size: content.length, sha256 } }))
  }

  async function succeed(...args: string[]): Promise<Record<string, unknown>> {
    const ended = await treeswap([...args, '--json'], { cwd: directory })
    expect(ended.exitCode, ended.stdout + ended.stderr).to.equal(0)
    const document = documentOf(ended)
    expect(document.schema).to.equal(1)
    return document
  }

  async function told(...args: string[]): Promise<string> {
    const ended = await treeswap(args, { cwd: directory })
    expect(ended.exitCode, ended.stdout + ended.stderr).to.equal(0)
    return ended.stdout
  }

  const large = { cpv: 'sys-apps/large-1', buildId: 1, bytes: 300_000 }

  it('pack, pull, publish, tell, go back', async () => {
    makeResult([large, { cpv: 'sys-apps/hello-1', buildId: 1, bytes: 10 }])
    const store = ['--root', 'store']
    await succeed('pack', 'result', '--tree', 'database', '--number', '1', '--out', 'artifacts/database/1', ...store)
    makeResult([large, { cpv: 'sys-apps/hello-2', buildId: 1, bytes: 10 }])
    const base = ['--base', 'artifacts/database/1']
    await succeed('pack', 'result', '--tree', 'database', '--number', '2', '--out', 'artifacts/database/2', ...base)

    const first = await succeed('publish', 'database@1', '--from', 'dir:artifacts', ...store)
    expect(first).to.deep.include({ tree: 'database', build: 1, already: false, copies: 0 })
    const pulled = await succeed('pull', 'database', '--from', 'dir:artifacts', ...store)
    expect(pulled).to.deep.include({ number: 2, already: false })
    expect(pulled.fetchedBytes, 'the large package is not fetched again').to.be.lessThan(300_000)

    const difference = await succeed('diff', 'database', ...store)
    expect(difference).to.deep.include({
      from: 1,
      to: 2,
      added: [],
      removed: [],
      rebuilt: [],
      upgraded: [{ package: 'sys-apps/hello', slot: '0', from: '1', to: '2' }],
    })

    expect((await told('diff', 'database', ...store)).trimEnd()).to.match(/^1 package differs$/m)
    await succeed('publish', 'database', ...store)
    await succeed('rollback', 'database', ...store)
    const { trees } = (await succeed('status', 'database', ...store)) as { trees: Record<string, unknown>[] }
    expect(trees).to.have.length(1)
    expect(trees[0]).to.deep.include({ tree: 'database', previous: 2, latest: 2 })
    expect(trees[0]?.published).to.deep.include({ build: 1, serial: 3 })
    expect(readFileSync(join(directory, 'store/published/database/.binpkgs/Packages'), 'utf8')).to.include('hello-1')

    const { builds } = (await succeed('list', ...store)) as { builds: Record<string, unknown>[] }
    expect(builds.map(({ number, base: on, published }) => [number, on, published])).to.deep.equal([
      [1, null, true],
      [2, 1, false],
    ])
    const { build } = (await succeed('show', 'database@-1', ...store)) as { build: Record<string, unknown> }
    expect(build).to.include({ name: 'database', number: 2, base: 1 })
    expect(await succeed('check', ...store)).to.deep.include({ findings: [] })

    for (const args of [['list'], ['status'], ['show', 'database']]) {
      const text = await told(...args, ...store)
      expect(text)
        .to.match(/\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
        .and.not.to.match(/\d\.\d\d\dZ/)
    }
  })

  it('goes back with --root alone as it was published: same URL, same grace time', async () => {
    for (const number of ['1', '2']) {
      makeResult([{ cpv: `sys-apps/hello-${number}`, buildId: 1, bytes: 10 }])
      await succeed('pack', 'result', '--tree', 'database', '--number', number, '--out', `artifacts/database/${number}`)
      const said = ['--http', 'http://pkgs.example.org', '--grace', '0s']
      await succeed('publish', `database@${number}`, '--from', 'dir:artifacts', '--root', 'store', ...said)
    }
    await succeed('rollback', 'database', '--root', 'store')
    const index = readFileSync(join(directory, 'store/published/database/.binpkgs/Packages'), 'utf8')
    expect(index).to.include('URI: http://pkgs.example.org/generations/database/3/\n')
    await succeed('rollback', 'database', '--root', 'store')
    const generations = readdirSync(join(directory, 'store/published/.generations'))
    expect(generations, 'a day is not what was said').not.to.include('database.2')

    for (const [serial, ...args] of [
      ['5', 'publish', '--no-http'],
      ['6', 'rollback'],
    ] as const) {
      const [command, ...options] = args
      await succeed(command, 'database@' + (serial === '5' ? '2' : '1'), '--root', 'store', ...options)
      const forgotten = readFileSync(join(directory, 'store/published/database/.binpkgs/Packages'), 'utf8')
      expect(forgotten, serial).not.to.include('URI:')
    }
  })

  it('explains what is not there, without losing what is', async () => {
    makeResult([large])
    await succeed('pack', 'result', '--tree', 'database', '--number', '1', '--out', 'artifacts/database/1')
    await succeed('publish', 'database@1', '--from', 'dir:artifacts', '--root', 'store')
    const wrong: [string[], string, number][] = [
      [['status', 'databse'], 'TREE_UNKNOWN', 13],
      [['show', 'database@7'], 'BUILD_UNKNOWN', 13],
      [['rollback', 'database'], 'NO_PREVIOUS', 13],
      [['log', 'database'], 'LOG_MISSING', 10],
      [['diff', 'database', 'other'], 'USAGE', 10],
      [['pull', 'database@published', '--from', 'dir:artifacts'], 'USAGE', 10],
      [['publish', 'database', '--http', 'gopher://x'], 'USAGE', 10],
      [['publish', 'database', '--grace', '5'], 'USAGE', 10],
    ]
    for (const [args, code, exitCode] of wrong) {
      const ended = await treeswap([...args, '--root', 'store', '--json'], { cwd: directory })
      expect(documentOf(ended).error, args.join(' ')).to.include({ code })
      expect(ended.exitCode, args.join(' ')).to.equal(exitCode)
    }
    const noStore = await treeswap(['list', '--root', '/etc/passwd', '--json'])
    expect(documentOf(noStore).error).to.include({ code: 'STORE_MISSING' })
    expect(await succeed('check', '--root', 'store')).to.deep.include({ findings: [] })
  })

  it('prints a log as it is, but for what would steer a terminal', async () => {
    makeResult([large])
    await succeed('pack', 'result', '--tree', 'database', '--number', '1', '--out', 'artifacts/database/1')
    addLog('artifacts/database/1', 'compiling \u001b[2Jdone\n')
    await succeed('pull', 'database', '--from', 'dir:artifacts', '--root', 'store')
    const args = ['log', 'database', '--root', 'store']
    expect((await treeswap(args, { cwd: directory })).stdout).to.equal('compiling \u001b[2Jdone\n')
    expect(await succeed(...args)).to.include({ log: 'compiling \u001b[2Jdone\n' })
    const program = [process.execPath, join(process.cwd(), 'dist/treeswap.mjs'), ...args].join(' ')
    const seen = execFileSync('script', ['-qec', program, '/dev/null'], { cwd: directory, encoding: 'utf8' })
    expect(seen).to.equal('compiling done\r\n')

    const none = await treeswap([...args, '--recipe', 'done', '--json'], { cwd: directory })
    expect(documentOf(none).error).to.include({ code: 'LOG_MISSING' })

    rmSync(join(directory, 'store/builds/database/1/build.log.zst'))
    expect(documentOf(await treeswap([...args, '--json'], { cwd: directory })).error).to.include({
      code: 'LOG_MISSING',
    })
  })

  it('does not put a log of any length into a document', async () => {
    makeResult([large])
    await succeed('pack', 'result', '--tree', 'database', '--number', '1', '--out', 'artifacts/database/1')
    addLog('artifacts/database/1', 'x'.repeat(65 * 2 ** 20))
    await succeed('pull', 'database', '--from', 'dir:artifacts', '--root', 'store')
    const ended = await treeswap(['log', 'database', '--root', 'store', '--json'], { cwd: directory })
    expect(documentOf(ended).error).to.include({ code: 'LOG_TOO_LONG' })
  })

  it('lists what is sound beside what is damaged', async () => {
    makeResult([large])
    for (const number of ['1', '2']) {
      await succeed('pack', 'result', '--tree', 'database', '--number', number, '--out', `artifacts/database/${number}`)
      await succeed('pull', `database@${number}`, '--from', 'dir:artifacts', '--root', 'store')
    }
    put('store/builds/database/1/build.json', '{')
    put('store/trees/database.json', '{')
    const { builds } = (await succeed('list', '--root', 'store')) as { builds: Record<string, unknown>[] }
    expect(builds[0]).to.include({ tree: 'database', number: 1, damaged: true })
    expect(builds[1]).to.include({ tree: 'database', number: 2 }).and.have.property('finished')
    const { stdout, stderr } = await treeswap(['list', '--root', 'store'], { cwd: directory })
    expect(stdout).to.match(/database@1 +damaged/)
    expect(stderr).to.include('[BUILD_INVALID]').and.to.include('[STATE_INVALID]')
  })

  it('says what clients are served of the other trees where the state of one is damaged', async () => {
    makeResult([large])
    for (const tree of ['database', 'web']) {
      await succeed('pack', 'result', '--tree', tree, '--number', '1', '--out', `artifacts/${tree}/1`)
      await succeed('publish', `${tree}@1`, '--from', 'dir:artifacts', '--root', 'store')
    }
    put('store/trees/database.json', '{')
    const { exitCode, stdout, stderr } = await treeswap(['status', '--root', 'store'], { cwd: directory })
    expect(stdout)
      .to.match(/^database +unknown \[STATE_INVALID\]$/m)
      .and.to.match(/^web +web@1 /m)
    expect(stderr).to.include('trees/database.json is damaged').and.to.include('move it away')
    expect(exitCode).to.equal(10)
    const document = documentOf(await treeswap(['status', '--root', 'store', '--json'], { cwd: directory }))
    expect(document.error).to.include({ code: 'STATE_INVALID' })
    expect(document.trees).to.have.nested.property('[1].published.build', 1)
  })

  it('ends a check with 13 where something is damaged, and names the build', async () => {
    makeResult([large])
    await succeed('pack', 'result', '--tree', 'database', '--number', '1', '--out', 'artifacts/database/1')
    await succeed('publish', 'database@1', '--from', 'dir:artifacts', '--root', 'store')
    const objects = join(directory, 'store/objects')
    const files = readdirSync(objects).flatMap((name) =>
      readdirSync(join(objects, name)).map((key) => `${name}/${key}`),
    )
    const victim = files.find((file) => readFileSync(join(objects, file), 'utf8') === 'USE=""\n') ?? ''
    writeFileSync(join(objects, victim), 'USE="x"\n')
    const ended = await treeswap(['check', '--root', 'store'], { cwd: directory })
    expect(ended.exitCode).to.equal(13)
    expect(ended.stdout).to.match(new RegExp(`damaged +objects/${victim} +database@1`))
  })

  it('publish, tell and go back with a pacman repo', async () => {
    const artifacts = join(directory, 'artifacts')
    await archiveRepo(artifacts, 1, { one: {}, gone: {}, same: {} })
    await archiveRepo(artifacts, 2, { one: { version: '1.0-1.1' }, new: {}, same: {} }, { base: 1 })
    const store = ['--root', 'store']
    const published = await succeed('publish', 'lab@1', '--from', 'dir:artifacts', ...store)
    expect(published).to.deep.include({ tree: 'lab', build: 1, serial: 1, already: false })
    await succeed('publish', 'lab@2', '--from', 'dir:artifacts', '--no-trial', ...store)
    const diff = await succeed('diff', 'lab@1', 'lab@2', ...store)
    expect(diff).to.deep.include({
      added: [{ package: 'new', slot: '0', version: '1.0-1' }],
      removed: [{ package: 'gone', slot: '0', version: '1.0-1' }],
      upgraded: [{ package: 'one', slot: '0', from: '1.0-1', to: '1.0-1.1' }],
      downgraded: [],
      rebuilt: [],
    })
    expect((await succeed('diff', 'lab@2', 'lab@1', ...store)).downgraded).to.have.length(1)
    const shown = await succeed('show', 'lab@2', ...store)
    expect(shown).to.deep.include({ architecture: 'x86_64', recipes: [] })
    expect(shown.packages).to.deep.include('one-1.0-1.1-any.pkg.tar.zst')
    expect(await told('show', 'lab', ...store)).to.include('lab@2')
    expect(await told('list', 'lab', ...store)).to.match(/lab@2 .* on 1 .*published/)
    expect(await told('rollback', 'lab', ...store)).to.include('lab@1 is published as generation 3')
    const [status] = (await succeed('status', ...store)).trees as { published: { build: number } }[]
    expect(status?.published.build).to.equal(1)
    expect(await told('check', ...store)).to.include('everything is as it was written')
  })
})
