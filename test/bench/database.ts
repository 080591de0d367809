/**
 * `npm run bench:database [-- --quick]`: both databases of a repo of 10,000 packages, of which one has changed, beside
 * repo-add of that one. Prints; asserts nothing about speed, because a machine's speed is no property of the code.
 *
 * Ours begins with nothing in memory: it reads the new package, the records of all others from a file each, and makes
 * both databases. repo-add gets the databases from before; both compress with gzip as they do by default.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { databaseFiles } from '../../src/arch/database.js'
import type { DatabaseEntry } from '../../src/arch/database.js'
import { readDatabase } from '../../src/arch/read-database.js'
import { decodeRecord, encodeRecord } from '../../src/arch/record-text.js'
import { run } from '../../src/system/process.js'
import { makepkg } from '../arch/makepkg.js'
import { entryOf } from '../arch/repo-lab.js'
import { syntheticEntry } from './synthetic-package.js'

const ROUNDS = 3
const PACKAGES = process.argv.includes('--quick') ? 1_000 : 10_000

/** Seconds: on the clock, and of processors. */
interface Time {
  clock: number
  processors: number
}

interface Databases {
  db: Buffer
  files: Buffer
}

const top = mkdtempSync(join(tmpdir(), 'treeswap-bench-'))
chmodSync(top, 0o755)
const stop = new AbortController()
const { signal } = stop
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort())

try {
  await compare()
} catch (error) {
  if (!signal.aborted) throw error
  console.error('stopped on request')
  process.exitCode = 130
} finally {
  rmSync(top, { recursive: true, force: true, maxRetries: 5 })
}

async function compare(): Promise<void> {
  const old = Array.from({ length: PACKAGES }, (_, index) => syntheticEntry(index))
  const records = join(top, 'records')
  mkdirSync(records)
  for (const entry of old) writeFileSync(join(records, entry.sha256), encodeRecord(entry.record))
  const before = await databaseFiles(old)
  const ours: Time[] = []
  const theirs: Time[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    // it takes the place of one in the middle
    const replaced = old[PACKAGES >> 1]!.record.info.name
    const [changed = ''] = makepkg(join(top, String(round)), { PKGBUILD: recipe(replaced, round) })
    const rest = old.filter(({ record }) => record.info.name !== replaced)
    const made: Databases[] = []
    const turns = [
      async () => ours.push(await timeOurs(rest, records, changed, made)),
      async () => theirs.push(await timeRepoAdd(before, changed, made)),
    ]
    for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn()
    requireSame(made)
    console.error(`round ${round} of ${ROUNDS}: ours ${show(ours.at(-1)!)}, repo-add ${show(theirs.at(-1)!)}`)
  }
  const [us, them] = [median(ours), median(theirs)]
  console.log(`\n${PACKAGES} packages, one of them new; medians of ${ROUNDS}`)
  console.log(`ours      ${show(us)}`)
  console.log(`repo-add  ${show(them)}`)
  const ratio = (key: keyof Time): string => (them[key] / us[key]).toFixed(1)
  console.log(`ours is ${ratio('clock')} times faster on the clock, ${ratio('processors')} times in processor time`)
}

async function timeOurs(rest: DatabaseEntry[], records: string, changed: string, made: Databases[]): Promise<Time> {
  const processors = process.cpuUsage()
  const start = performance.now()
  const known = rest.map((entry) => ({
    ...entry,
    record: decodeRecord(readFileSync(join(records, entry.sha256), 'utf8'))!,
  }))
  made.push(await databaseFiles([...known, await entryOf(changed)]))
  const clock = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(processors)
  return { clock, processors: (user + system) / 1e6 }
}

async function timeRepoAdd(before: Databases, changed: string, made: Databases[]): Promise<Time> {
  const directory = mkdtempSync(join(top, 'repo-add-'))
  const path = (kind: string): string => join(directory, `kitchen.${kind}.tar.gz`)
  writeFileSync(path('db'), before.db)
  writeFileSync(path('files'), before.files)
  copyFileSync(changed, join(directory, basename(changed)))
  const args = ['repo-add', '--quiet', path('db'), join(directory, basename(changed))]
  // bash measures, in its own words, what the program and its children take
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" 2>/dev/null'
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', TMPDIR: directory }
  const said = await run('bash', ['-c', `{ ${script}; } 2>&1`, 'bash', ...args], { env, signal })
  const [clock = NaN, user = NaN, system = NaN] = (said.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  made.push({ db: readFileSync(path('db')), files: readFileSync(path('files')) })
  rmSync(directory, { recursive: true })
  return { clock, processors: user + system }
}

/** Speed counts for nothing where the result is another. */
function requireSame(made: Databases[]): void {
  const [one, other] = made.map(({ db, files }) =>
    JSON.stringify([readDatabase(db, 'db'), readDatabase(files, 'files')].map((list) => list.map(plain))),
  )
  if (one !== other) throw new Error('the databases differ')
}

function plain({ fields, files }: { fields: Map<string, string[]>; files?: string[] }): unknown {
  return [[...fields], files]
}

function recipe(name: string, release: number): string {
  return `
pkgname=${name}
pkgver=99
pkgrel=${release}
arch=(any)
package() {
  mkdir -p "$pkgdir/usr/share/fixture"
  for number in {1..20}; do echo $number > "$pkgdir/usr/share/fixture/$number"; done
}
`
}

function median(times: Time[]): Time {
  const middle = (key: keyof Time): number => times.map((time) => time[key]).sort((a, b) => a - b)[times.length >> 1]!
  return { clock: middle('clock'), processors: middle('processors') }
}

function show({ clock, processors }: Time): string {
  return `${clock.toFixed(2)} s (${processors.toFixed(2)} s of processors)`
}
