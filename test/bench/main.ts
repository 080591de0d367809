/**
 * `npm run bench [-- --quick]`: publish and second pull of a build beside the tools that one would use instead.
 * Prints; asserts nothing, because a machine's speed is no property of the code.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packTree } from '../../src/artifact/pack-tree.js'
import { fetchManifest, openSource } from '../../src/artifact/source.js'
import type { Build } from '../../src/model/build.js'
import { openStore } from '../../src/store/layout.js'
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

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const builds = await archiveBuilds()
treeswap('pull', 1)
treeswap('publish', 1)
untar(1)
for (let round = 1; round <= ROUNDS; round++) {
  const next = round + 1
  say(`round ${round} of ${ROUNDS}`)
  inTurn(round, [() => measure('second pull', () => treeswap('pull', next)), () => measureUnpacking(next)])
  const generation = realpathSync(store.pointer('box'))
  inTurn(round, [
    () => measure('publish', () => treeswap('publish', next)),
    () => measureCopy('cp -al', ['cp', '-al', generation, scratch]),
    () => measureCopy('rsync -a --link-dest', ['rsync', '-a', `--link-dest=${generation}`, `${generation}/`, scratch]),
  ])
}
table('publish', ['cp -al', 'rsync -a --link-dest'])
table('second pull', ['tar -xf', 'tar -xf + rsync -a --link-dest'])

/** Build 1 and one more for each round, each with one file and one package of a hundred changed. */
async function archiveBuilds(): Promise<Map<number, Build>> {
  const made = new Map<number, Build>()
  for (let number = 1; number <= ROUNDS + 1; number++) {
    const files = writeParts(parts, size, number)
    const output = join(artifacts, 'box', String(number))
    const base = made.get(number - 1)
    const build = await packTree(
      { directory: parts, tree: 'box', number, output, ...(base && { base: await baseOf(base) }) },
      silent,
    )
    made.set(number, build)
    say(`build ${number}: ${files} files written, ${megabytes(build)} MB archived`)
  }
  rmSync(parts, { recursive: true })
  return made
}

async function baseOf({ number, packs }: Build) {
  const pack = packs.find(({ role }) => role === 'packages')!
  const item = { kind: 'machine', name: 'box' } as const
  return { number, manifest: await fetchManifest(openSource(`dir:${artifacts}`), item, number, pack) }
}

/** In a process of its own, as the other tools are. */
function treeswap(command: 'pull' | 'publish', number: number): void {
  execFileSync(process.execPath, [driver, store.root, command, String(number), artifacts])
}

/** The very packs that the pull reads; then what a store of link trees would add. */
function measureUnpacking(number: number): void {
  const tar = measure('tar -xf', () => untar(number))
  sync()
  const rsync = seconds(() =>
    run('rsync', '-a', `--link-dest=${unpacked(number - 1)}`, `${unpacked(number)}/`, scratch),
  )
  note('tar -xf + rsync -a --link-dest', tar + rsync)
  run('rm', '-rf', scratch, unpacked(number - 1))
}

function untar(number: number): void {
  for (const { name, file } of builds.get(number)?.packs ?? []) {
    const target = join(unpacked(number), name)
    mkdirSync(target, { recursive: true })
    run('tar', '-xf', join(artifacts, 'box', String(number), file), '-C', target)
  }
}

function measureCopy(name: string, [program = '', ...args]: string[]): void {
  measure(name, () => run(program, ...args))
  run('rm', '-rf', scratch)
}

function measure(name: string, action: () => void): number {
  sync()
  const time = seconds(action)
  note(name, time)
  return time
}

function seconds(action: () => void): number {
  const start = performance.now()
  action()
  return (performance.now() - start) / 1000
}

function note(name: string, time: number): void {
  times.set(name, [...(times.get(name) ?? []), time])
  say(`  ${name.padEnd(32)} ${time.toFixed(2)} s`)
}

/** Everybody goes first once. */
function inTurn(round: number, actions: (() => void)[]): void {
  const shift = round % actions.length
  for (const action of [...actions.slice(shift), ...actions.slice(0, shift)]) action()
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

function sync(): void {
  run('sync', '-f', directory)
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args)
}

function say(text: string): void {
  console.error(text)
}
