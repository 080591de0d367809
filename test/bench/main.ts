/**
 * `npm run bench [-- --quick]`: publish and second pull of a build beside the tools that one would use instead.
 * Prints; asserts nothing, because a machine's speed is no property of the code.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packTree } from '../../src/artifact/pack-tree.js'
import { fetchManifest, openDirectorySource } from '../../src/artifact/source.js'
import type { Build } from '../../src/model/build.js'
import { openStore } from '../../src/store/layout.js'
import { run as runProgram } from '../../src/system/process.js'
import { silent } from '../lab/silent.js'
import { compileDriver } from '../publish/injection.js'
import { fullSize, quickSize, writeParts } from './content.js'

const ROUNDS = 3
const size = process.argv.includes('--quick') ? quickSize : fullSize

const directory = mkdtempSync(join(tmpdir(), 'treeswap-bench-'))
const parts = join(directory, 'parts')
const artifacts = join(directory, 'artifacts')
const unpacked = (number: number): string => join(directory, `unpacked-${number}`)
const scratch = join(directory, 'scratch')
const store = openStore(join(directory, 'store'), { create: true })
const driver = compileDriver(directory)
const times = new Map<string, number[]>()

const stop = new AbortController()
const { signal } = stop
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort())

try {
  await compare()
} catch (error) {
  if (!signal.aborted) throw error
  say('stopped on request')
  process.exitCode = 130
} finally {
  say('removing what was measured')
  rmSync(directory, { recursive: true, force: true })
}

async function compare(): Promise<void> {
  const builds = await archiveBuilds()
  await treeswap('pull', 1)
  await treeswap('publish', 1)
  await untar(builds, 1)
  for (let round = 1; round <= ROUNDS; round++) {
    const next = round + 1
    say(`round ${round} of ${ROUNDS}`)
    await inTurn(round, [
      () => measure('second pull', () => treeswap('pull', next)),
      () => measureUnpacking(builds, next),
    ])
    const generation = realpathSync(store.pointer('box'))
    await inTurn(round, [
      () => measure('publish', () => treeswap('publish', next)),
      () => measureCopy('cp -al', ['cp', '-al', generation, scratch]),
      () =>
        measureCopy('rsync -a --link-dest', ['rsync', '-a', `--link-dest=${generation}`, `${generation}/`, scratch]),
    ])
  }
  table('publish', ['cp -al', 'rsync -a --link-dest'])
  table('second pull', ['tar -xf', 'tar -xf + rsync -a --link-dest'])
}

/** Build 1 and one more for each round, each with one file and one package of a hundred changed. */
async function archiveBuilds(): Promise<Map<number, Build>> {
  const made = new Map<number, Build>()
  for (let number = 1; number <= ROUNDS + 1; number++) {
    const files = await writeParts(parts, size, number, signal)
    const output = join(artifacts, 'box', String(number))
    const base = made.get(number - 1)
    const build = await packTree(
      { directory: parts, tree: 'box', number, output, ...(base && { base: await baseOf(base) }) },
      { ...silent, signal },
    )
    made.set(number, build)
    say(`build ${number}: ${files} files written, ${megabytes(build)} MB archived`)
  }
  rmSync(parts, { recursive: true })
  return made
}

async function baseOf({ number, packs }: Build) {
  const pack = packs.find(({ role }) => role === 'packages')!
  const item = { kind: 'tree', name: 'box' } as const
  return { number, manifest: await fetchManifest(openDirectorySource(`dir:${artifacts}`), item, number, pack) }
}

/** In a process of its own, as the other tools are. */
async function treeswap(command: 'pull' | 'publish', number: number): Promise<void> {
  await run(process.execPath, driver, store.root, command, String(number), artifacts)
}

/** The very packs that the pull reads; then what a store of link trees would add. */
async function measureUnpacking(builds: Map<number, Build>, number: number): Promise<void> {
  const tar = await measure('tar -xf', () => untar(builds, number))
  await sync()
  const rsync = await seconds(() =>
    run('rsync', '-a', `--link-dest=${unpacked(number - 1)}`, `${unpacked(number)}/`, scratch),
  )
  note('tar -xf + rsync -a --link-dest', tar + rsync)
  await run('rm', '-rf', scratch, unpacked(number - 1))
}

async function untar(builds: Map<number, Build>, number: number): Promise<void> {
  for (const { name, file } of builds.get(number)?.packs ?? []) {
    const target = join(unpacked(number), name)
    mkdirSync(target, { recursive: true })
    await run('tar', '-xf', join(artifacts, 'box', String(number), file), '-C', target)
  }
}

async function measureCopy(name: string, [program = '', ...args]: string[]): Promise<void> {
  await measure(name, () => run(program, ...args))
  await run('rm', '-rf', scratch)
}

async function measure(name: string, action: () => Promise<void>): Promise<number> {
  await sync()
  const time = await seconds(action)
  note(name, time)
  return time
}

async function seconds(action: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await action()
  return (performance.now() - start) / 1000
}

function note(name: string, time: number): void {
  times.set(name, [...(times.get(name) ?? []), time])
  say(`  ${name.padEnd(32)} ${time.toFixed(2)} s`)
}

/** Everybody goes first once. */
async function inTurn(round: number, actions: (() => Promise<unknown>)[]): Promise<void> {
  const shift = round % actions.length
  for (const action of [...actions.slice(shift), ...actions.slice(0, shift)]) await action()
}

function table(ours: string, others: string[]): void {
  console.log(`\n${ours.padEnd(32)} ${median(ours).toFixed(2)} s (median of ${ROUNDS})`)
  for (const other of others) {
    const ratio = median(ours) / median(other)
    console.log(`${other.padEnd(32)} ${median(other).toFixed(2)} s   ${ours} takes ${ratio.toFixed(2)} of it`)
  }
}

function median(name: string): number {
  const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? NaN
}

function megabytes({ packs }: Build): string {
  return (packs.reduce((sum, pack) => sum + pack.size + pack.manifest.size, 0) / 1e6).toFixed(0)
}

async function sync(): Promise<void> {
  await run('sync', '-f', directory)
}

async function run(program: string, ...args: string[]): Promise<void> {
  await runProgram(program, args, { signal })
}

function say(text: string): void {
  console.error(text)
}
