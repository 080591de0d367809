import { readRepoBuild } from '../arch/repo-build.js'
import type { UploadConfig } from '../config/uploads.js'
import type { RecipeOutcome } from '../recipes/repo-outcome.js'
import { listBuilds, readBuild } from '../store/builds.js'
import { readPointer } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { readRuns } from './last-run.js'
import type { EndedRun } from './last-run.js'
import { readUploads } from './upload-record.js'

/** What a host to which a pacman repo is uploaded has of it, by the last upload from here. */
export interface HostDetails {
  name: string
  host: string
  /** the last that it got as a whole; null: not known */
  generation: number | null
  /** when it got that, ISO 8601, UTC */
  at: string | null
  /** whether another one is published; null: not known */
  behind: boolean | null
  /** of the last upload, where it failed */
  failure?: { generation: number; at: string; code: string; message: string; hint: string }
}

/** What an admin wants to know of a pacman repo beside what its clients are served. */
export interface RepoDetails {
  /** when a run began that has not ended: it is at work, or was killed */
  running: string | null
  lastRun: Omit<EndedRun, 'recipes'> | null
  /** when a run after that found nothing new to try */
  checked: string | null
  /** those that were not brought up to date, as the last run says, or else the latest build */
  recipes: RecipeOutcome[]
  uploads: HostDetails[]
}

/**
 * @param hosts to which the configuration has it uploaded
 * @returns undefined for what is no pacman repo
 * @throws what readRepoBuild throws
 */
export async function detailsOf(
  store: Store,
  tree: string,
  hosts: readonly UploadConfig[],
): Promise<RepoDetails | undefined> {
  const record = readRuns(store, tree)
  const latest = listBuilds(store, tree).at(-1)
  const build = latest === undefined ? undefined : readBuild(store, tree, latest)
  const isRecorded = record.last !== undefined || record.running !== undefined
  if (!isRecorded && build?.kind !== 'pacman-repo') return undefined
  const { recipes = [], ...lastRun } = record.last ?? {}
  const asBuilt = record.last === undefined && build !== undefined ? await leftBehind(store, build) : recipes
  return {
    running: record.running ?? null,
    lastRun: 'began' in lastRun ? lastRun : null,
    checked: record.checked ?? null,
    recipes: asBuilt.filter(({ status }) => status !== 'built' && status !== 'removed'),
    uploads: hosts.map((host) => uploadsOf(store, tree, host)),
  }
}

/** What `recipes.json` says: builds of a Jenkins come without a run on this host. */
async function leftBehind(store: Store, build: Parameters<typeof readRepoBuild>[1]): Promise<RecipeOutcome[]> {
  const { recipes } = await readRepoBuild(store, build)
  return [...recipes.recipes].flatMap(([base, { status, reason }]): RecipeOutcome[] =>
    status === 'built' || status === 'kept' ? [] : [{ base, status, ...(reason !== undefined && { reason }) }],
  )
}

function uploadsOf(store: Store, tree: string, { name, host, directory }: UploadConfig): HostDetails {
  const known = readUploads(store, tree).get(name)
  const there = known?.host === host && known.directory === directory ? known : undefined
  const published = readPointer(store, tree)?.serial
  const { generation, failure } = there ?? {}
  const { serial: tried, ...why } = failure ?? {}
  return {
    name,
    host,
    generation: generation?.serial ?? null,
    at: generation?.at ?? null,
    behind: generation === undefined || published === undefined ? null : generation.serial !== published,
    ...('code' in why && tried !== undefined && { failure: { generation: tried, ...why } }),
  }
}
