/** The four rounds: each step is a claim, each claim a comparison. */
import type { Repos } from '../lab/repos.js'
import * as changes from './changes.js'
import { expectNames, expectSame, expectTrue } from './expect.js'
import type { Machine } from './machine.js'
import { expectServed, TREE } from './publisher.js'
import type { MachineRun, Publisher } from './publisher.js'
import { bytes } from './stage.js'
import type { Stage } from './stage.js'

export interface Scene {
  repos: Repos
  publisher: Publisher
  stage: Stage
  /** a client; made on first use, after the first publish */
  machine: () => Promise<Machine>
}

/** What the first world consists of. */
export const everything = [
  'app-misc/hello-2.10',
  'app-misc/wordindex-1.0',
  'dev-libs/libwordindex-1.0',
  'dev-libs/tinycdb-0.78',
  'dev-libs/utf8proc-2.8.0',
]

export async function firstRound({ publisher, stage, machine }: Scene): Promise<MachineRun> {
  stage.title('Round 1: from git to a client that runs the program')
  const run = await stage.step('a world is built from source and published', async () => {
    const run = await publisher.run()
    expectServed(run)
    expectNames('packages compiled', run.build?.compiled ?? [], everything)
    const order = (name: string): number => run.build?.compiled.findIndex((cpv) => cpv.includes(name)) ?? -1
    expectTrue('a library is compiled before the library that needs it', order('tinycdb') < order('libwordindex'))
    expectTrue('a library is compiled before the program', order('libwordindex') < order('/wordindex'))
    return run
  })
  const client = await machine()
  await stage.step('a client without a compiler syncs, updates from binary packages and runs it', async () => {
    expectSame('whether the client has a compiler', client.hasCompiler(), false)
    const { fromBinary } = await client.follow()
    expectNames('packages installed on the client', fromBinary, everything)
    stage.prove('a client installs everything and compiles nothing', await client.expectProgram('1.0'))
    await client.expectHello()
    stage.prove("its trees are the publisher's, by sha256", `${client.expectServedTrees()} files`)
  })
  return run
}

export async function secondRound({ repos, publisher, stage, machine }: Scene, first: MachineRun): Promise<void> {
  stage.title('Round 2: a version bump, a USE change, a new world entry, an edit of equal size')
  const client = await machine()
  await stage.step('commits to the overlay, the profile and the main repo', async () => {
    await changes.bumpProgram(repos)
    await changes.changeProfile(repos)
    await changes.editEqually(repos)
  })
  await stage.step('only what changed is compiled', async () => {
    const run = await publisher.run()
    expectServed(run)
    const changed = ['app-arch/lzlib-1.13', 'app-misc/wordindex-1.1', 'dev-libs/utf8proc-2.8.0']
    expectNames('packages compiled', run.build?.compiled ?? [], changed)
    stage.prove('only what changed is compiled', changed.join(', '))
  })
  await stage.step('the client follows: version, USE, world, /etc/portage, equal size', async () => {
    const { fromBinary } = await client.follow()
    expectTrue('lzlib, the new world entry, is installed', fromBinary.includes('app-arch/lzlib-1.13'))
    expectTrue('the static library that the USE flag asks for is there', client.has('usr/lib/libutf8proc.a'))
    expectSame('README in the client', client.read('var/db/repos/gentoo/README'), 'State of this repo: fresh\n')
    expectTrue('make.conf has the edit of equal size', client.read('etc/portage/make.conf').includes('-j1'))
    stage.prove('profile and world reach the client', await client.expectProgram('1.1'))
    stage.prove('edits of equal size reach the client', `${client.expectServedTrees()} files equal by sha256`)
    client.expectOwnConfiguration()
    stage.prove('the client keeps what is its own', 'repos.conf, binrepos.conf, keys')
  })
  await onePackage({ repos, publisher, stage, machine }, first)
}

async function onePackage({ repos, publisher, stage, machine }: Scene, first: MachineRun): Promise<void> {
  const client = await machine()
  await stage.step('one package changes: its bytes are counted', async () => {
    await changes.reviseProgram(repos)
    const run = await publisher.run()
    expectServed(run)
    expectNames('packages compiled', run.build?.compiled ?? [], ['app-misc/wordindex-1.1-r1'])
    const whole = publisher.packagesPackBytes(first)
    const pack = publisher.packagesPackBytes(run)
    const pulled = run.publication?.pulledBytes ?? Infinity
    const limit = publisher.binaryPackageBytes('app-misc/wordindex', '1.1-r1') + tarOverhead
    expectTrue(`the packages in the artifact (${pack}) are no more than the one package (${limit})`, pack <= limit)
    const others = publisher.changedPackBytes(run) - pack
    expectTrue(`what was pulled (${pulled}) is no more than what changed`, pulled <= pack + others + recordBytes)
    expectTrue('what was pulled is less than all packages', pulled < whole)
    stage.prove(
      'one changed package costs one package',
      `artifact ${bytes(pack)}, pull ${bytes(pulled)} with changed ebuild repos; all packages: ${bytes(whole)}`,
    )
  })
  await stage.step('the client takes that one package', async () => {
    expectNames('packages installed', (await client.follow()).fromBinary, ['app-misc/wordindex-1.1-r1'])
    expectTrue('the new link is there', client.has('usr/bin/widx'))
    client.expectServedTrees()
  })
}

/** A tar archive is padded to blocks of 10 KiB, and has a header for each file and directory. */
const tarOverhead = 20 * 1024
/** build.json and the log come with every pull. */
const recordBytes = 64 * 1024

export async function thirdRound({ repos, publisher, stage, machine }: Scene): Promise<void> {
  stage.title('Round 3: an ebuild fails after another was compiled')
  const client = await machine()
  const pointer = publisher.pointer()
  const root = await stage.step('the root, as it is before', () => publisher.rootDigest())
  await stage.step('the build fails, and nothing else happens', async () => {
    await changes.breakProgram(repos)
    const run = await publisher.run(12)
    expectSame('status of the run', run.status, 'failed')
    expectTrue('the failing package is named', run.error?.message.includes('app-misc/wordindex-1.2') ?? false)
    stage.answer(run.error?.message ?? '')
    expectSame('what is published', publisher.pointer(), pointer)
    stage.prove('a failed build publishes nothing', `${run.error?.code ?? ''}; still ${pointer}`)
  })
  await stage.step('the root is as before', async () => {
    expectSame('sha256 of the root', await publisher.rootDigest(), root)
    stage.prove('a failed build leaves its root as it was', `sha256 ${root.slice(0, 16)}…`)
  })
  await stage.step('the client notices nothing', async () => {
    expectSame('packages installed', (await client.follow()).fromBinary, [])
    client.expectServedTrees()
    await client.expectProgram('1.1')
  })
  await stage.step('after the fix, the retry compiles only what had not been finished', async () => {
    await changes.mendProgram(repos)
    const run = await publisher.run()
    expectServed(run)
    expectNames('packages compiled', run.build?.compiled ?? [], ['app-misc/wordindex-1.2'])
    expectTrue('the library is reused', run.build?.reused.includes('dev-libs/libwordindex-1.1') ?? false)
    stage.prove('what a failed run finished is not compiled again', 'libwordindex-1.1 reused, wordindex-1.2 compiled')
  })
  await stage.step('the client follows', async () => {
    await client.follow()
    await client.expectProgram('1.2')
    client.expectServedTrees()
  })
}

export async function fourthRound({ publisher, stage, machine }: Scene): Promise<void> {
  stage.title('Round 4: back to build 1, and forward again')
  const client = await machine()
  await stage.step('rollback to build 1: the client follows by its normal commands', async () => {
    stage.answer((await publisher.treeswap(['rollback', `${TREE}@1`])).stdout)
    await client.follow()
    expectTrue('the library of build 1 is back', client.installed().includes('dev-libs/libwordindex-1.0'))
    expectSame('whether the static library of build 2 is there', client.has('usr/lib/libutf8proc.a'), false)
    expectSame('README in the client', client.read('var/db/repos/gentoo/README'), 'State of this repo: ready\n')
    const line = await client.expectProgram('1.0')
    stage.prove('rollback reaches the unchanged client', `${line}; ${client.expectServedTrees()} files equal by sha256`)
  })
  await stage.step('forward again: the client follows', async () => {
    stage.answer((await publisher.treeswap(['publish', `${TREE}@latest`])).stdout)
    await client.follow()
    client.expectOwnConfiguration()
    expectTrue('the static library is back', client.has('usr/lib/libutf8proc.a'))
    const line = await client.expectProgram('1.2')
    stage.prove('and so does the way forward', `${line}; ${client.expectServedTrees()} files equal by sha256`)
  })
  await stage.step('the store is whole, and says what differs', async () => {
    stage.answer((await publisher.treeswap(['diff', `${TREE}@1`, `${TREE}@latest`])).stdout)
    stage.answer((await publisher.treeswap(['check'])).stdout)
    stage.prove('every stored byte still has its hash', 'treeswap check')
  })
}
