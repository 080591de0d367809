/** The four rounds: each step is a claim, each claim a comparison. */
import { expectNames, expectSame, expectTrue } from '../demo/expect.js'
import { bytes } from '../demo/stage.js'
import type { Stage } from '../demo/stage.js'
import type { PacmanClient } from '../lab/pacman-client.js'
import type { WebHost } from '../upload/web-host.js'
import { TREE } from './publisher.js'
import type { Publisher, RepoRun } from './publisher.js'
import type { Distribution } from './recipes.js'

export interface Scene {
  distribution: Distribution
  publisher: Publisher
  stage: Stage
  /** the plain web host */
  host: WebHost
}

const everything = ['greeter', 'lookup', 'phrases', 'tinycdb', 'words']

function built({ recipes }: RepoRun): string[] {
  return recipes.filter(({ status }) => status === 'built').map(({ base }) => base)
}

export async function firstRound(
  { publisher, stage, host }: Scene,
  makeClient: () => Promise<PacmanClient>,
): Promise<PacmanClient> {
  stage.title('Round 1: from git to a client that demands signatures')
  await stage.step('recipes, a release and a list are built, signed, published and uploaded', async () => {
    const run = await publisher.run()
    expectNames('what was built', built(run), [...everything, `${TREE}-keyring`])
    const order = run.recipes.map(({ base }) => base)
    expectTrue('a library comes before what needs it', order.indexOf('tinycdb') < order.indexOf('lookup'))
    expectTrue('a package of the AUR before that which needs it', order.indexOf('words') < order.indexOf('phrases'))
    stage.prove('a name on a list brings what it needs', 'phrases of the list, words because of it')
    expectTrue('packages reached the web host', Object.keys(host.done().written).length > everything.length)
  })
  return await stage.step('a client trusts the key by its fingerprint, installs, and runs the program', async () => {
    const client = await makeClient()
    await client.pacman('-S', 'phrases', 'greeter')
    const { lines } = await client.run(['lookup', '/usr/share/words.cdb', 'strasse'])
    expectSame('what lookup says', lines.at(-1), 'lookup: street')
    expectSame('whether the client has a compiler', client.has('usr/bin/gcc'), false)
    stage.prove('a client with SigLevel = Required DatabaseRequired installs', lines.at(-1) ?? '')
    return client
  })
}

export async function secondRound(
  { distribution, publisher, stage, host }: Scene,
  client: PacmanClient,
): Promise<void> {
  stage.title('Round 2: a release tag')
  await stage.step('one package is built, and one is transferred', async () => {
    await distribution.newRelease('1.1')
    host.done()
    const run = await publisher.run()
    expectSame('what was built', built(run), ['greeter'])
    const { written } = host.done()
    const packages = Object.keys(written).filter((name) => name.endsWith('.pkg.tar.zst'))
    expectSame('packages that reached the web host', packages.map(nameOf), ['greeter-1.1-1-x86_64.pkg.tar.zst'])
    const sum = Object.values(written).reduce((all, size) => all + size, 0)
    const pulled = run.publication?.pulledBytes ?? 0
    stage.prove(
      'one tag builds and moves one package',
      `${bytes(pulled)} pulled, ${bytes(sum)} uploaded with databases`,
    )
  })
  await stage.step('the client upgrades', async () => {
    const { lines } = await client.pacman('-Syu')
    expectTrue(
      'nothing but greeter is upgraded',
      lines.some((line) => line.startsWith('Packages (1)')),
    )
    expectSame('version of greeter', (await client.installed()).greeter, '1.1-1')
    expectSame('what greeter says', (await client.run(['greeter'])).lines.at(-1), 'greeter 1.1')
  })
}

export async function thirdRound({ distribution, publisher, stage }: Scene, client: PacmanClient): Promise<void> {
  stage.title('Round 3: a recipe fails')
  await stage.step('the others are published, what depends on it stays as it was', async () => {
    await distribution.breakLookup()
    const run = await publisher.run(3)
    const become = Object.fromEntries(run.recipes.map(({ base, status }) => [base, status]))
    expectSame('what became of lookup', become.lookup, 'failed')
    expectSame('what became of phrases, which needs it', become.phrases, 'skipped')
    expectSame('what became of tinycdb', become.tinycdb, 'built')
    stage.prove('one failure skips only its dependants', 'lookup failed, phrases skipped; tinycdb and words built')
    await client.pacman('-Syu')
    const installed = await client.installed()
    expectSame('versions on the client', [installed.tinycdb, installed.lookup], ['0.78-2', '1.0-1'])
    expectSame(
      'what lookup says',
      (await client.run(['lookup', '/usr/share/words.cdb', 'haus'])).lines.at(-1),
      'lookup: house',
    )
  })
  await stage.step('mended, it is built, with a higher pkgrel where only what it needs has changed', async () => {
    await distribution.mendLookup()
    const run = await publisher.run()
    expectNames('what was built', built(run), ['lookup', 'phrases'])
    await client.pacman('-Syu')
    expectSame('version of lookup', (await client.installed()).lookup, '1.0-1.1')
  })
}

export async function fourthRound(
  { publisher, stage }: Scene,
  client: PacmanClient,
  makeOther: () => Promise<PacmanClient>,
): Promise<void> {
  stage.title('Round 4: back, forward, and from the uploaded copy')
  await stage.step('rollback to build 1: the client follows by -Syuu', async () => {
    stage.answer((await publisher.treeswap(['rollback', `${TREE}@1`])).stdout)
    await client.pacman('-Syuu')
    const { greeter, tinycdb, lookup } = await client.installed()
    expectSame('versions on the client', [greeter, tinycdb, lookup], ['1.0-1', '0.78-1', '1.0-1'])
    stage.prove('rollback reaches the client by -Syuu', `greeter ${greeter ?? ''}`)
  })
  await stage.step('forward again: the client follows by -Syu', async () => {
    stage.answer((await publisher.treeswap(['publish', `${TREE}@latest`])).stdout)
    await client.pacman('-Syu')
    expectSame('version of greeter', (await client.installed()).greeter, '1.1-1')
  })
  await stage.step('another client installs from the web host', async () => {
    stage.answer((await publisher.treeswap(['upload', TREE])).stdout)
    const other = await makeOther()
    await other.pacman('-S', 'greeter')
    expectSame('what greeter says', (await other.run(['greeter'])).lines.at(-1), 'greeter 1.1')
    stage.prove('the uploaded copy serves clients as well', 'greeter 1.1')
  })
  await stage.step('the store is whole, and says what differs', async () => {
    stage.answer((await publisher.treeswap(['diff', `${TREE}@1`, `${TREE}@latest`])).stdout)
    stage.answer((await publisher.treeswap(['check'])).stdout)
    stage.prove('every stored byte still has its hash', 'treeswap check')
  })
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
