import { join } from 'node:path'
import type { Skipped } from '../agent/attempt.js'
import { builderDirectories } from '../agent/directories.js'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { artifactPath } from '../agent/output.js'
import { openSource } from '../agent/sources.js'
import type { Config } from '../config/config.js'
import type { PacmanConfig } from '../config/pacman.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { requireAnnounced } from '../publish/announced-key.js'
import { buildRepo } from '../recipes/build-repo.js'
import type { RepoBuildReport } from '../recipes/build-repo.js'
import { NothingBuilt } from '../recipes/nothing-built.js'
import { keyringOf } from '../recipes/repo-keyring.js'
import type { RecipeOutcome } from '../recipes/repo-outcome.js'
import { TriedRecipes } from '../recipes/wanted-recipes.js'
import { listBuilds } from '../store/builds.js'
import { openStore } from '../store/layout.js'
import type { Store } from '../store/layout.js'
import { publishedNumber } from '../store/references.js'
import { withLock } from '../system/lock.js'
import type { UploadReport } from '../upload/upload.js'
import { willRepeat } from './failed-builds.js'
import type { EndedRun, RunRecord } from './last-run.js'
import { publishIfNew } from './publish-if-new.js'
import type { NewPublication } from './publish-if-new.js'
import { withoutOutput } from './quiet-report.js'
import { recordingRun } from './record-run.js'
import { openSigning } from './signing.js'
import { uploadAfterPublish } from './upload.js'

export interface RepoRunOutcome {
  name: string
  /** built: there is a new build, and it is published; published: an earlier one was waiting; unchanged: neither */
  status: 'built' | 'published' | 'unchanged'
  /** undefined: there is no build yet */
  number: number | undefined
  /** where it is unchanged: the build that clients are served, which may be another one */
  published?: number
  /** recipes that were not just kept */
  recipes: RecipeOutcome[]
  /** whether something stayed as it was that should have been built */
  partial: boolean
  /** whether the last run said the same of every recipe: who was told then need not be told again */
  known: boolean
  /** absent where nothing was published */
  publication?: NewPublication
  /** what came of the hosts that did not have what is published */
  uploads?: UploadReport[]
}

export interface RepoRunRequest {
  /** program → version, recorded in the build */
  tools: Record<string, string>
  /** pkgbase of recipes to be built in any case */
  asked?: ReadonlySet<string>
  /** what is not tried again */
  tried?: TriedRecipes
  /** whether to report also what programs print while recipes are built; it is in their logs in any case */
  verbose?: boolean
}

/**
 * Builds what has changed of a pacman repo, and publishes what is built and was never published. What came of it is
 * recorded, for those who ask later.
 */
export async function updateRepoTree(
  config: Config,
  repo: PacmanConfig,
  request: RepoRunRequest,
  context: Context,
): Promise<RepoRunOutcome | Skipped> {
  const { name } = repo
  const { locks } = builderDirectories(config.builder.directory)
  const what = `treeswap run of ${name}`
  return await withLock(join(locks, `repo-tree-${name}.lock`), { what, signal: context.signal }, async () => {
    const store = openStore(config.publisher.root, { create: true })
    return await recordingRun(store, name, (before) => updateLocked(config, repo, store, before, request, context))
  })
}

async function updateLocked(
  config: Config,
  repo: PacmanConfig,
  store: Store,
  { last }: RunRecord,
  { tools, asked = new Set(), tried = new TriedRecipes(), verbose = false }: RepoRunRequest,
  context: Context,
): Promise<RepoRunOutcome | Skipped> {
  const { builder } = config
  const { name } = repo
  const source = openSource(builder.artifacts)
  const signing = await openSigning(config, name, context)
  if (signing !== undefined) await requireAnnounced(store, name, await signing.open(), context)
  await ensureChroot(config, repo.chroot, context)
  const item = { kind: 'tree', name } as const
  const latest = (await source.numbers(item)).at(-1)
  const report = await buildRepo(
    {
      repo,
      builder,
      base: source,
      asked,
      keyring: keyringOf(config, repo),
      output: (number) => artifactPath(builder.artifacts, item, number),
      number: Math.max(latest ?? 0, listBuilds(store, name).at(-1) ?? 0) + 1,
      full: false,
      tools,
      isWorthwhile: (wanted) => tried.take(name, wanted),
    },
    verbose ? context : { ...context, report: withoutOutput(context.report) },
  ).catch((error: unknown): RepoBuildReport => {
    if (!(error instanceof TreeswapError) || !willRepeat(error)) tried.ended(name, 'at once')
    else tried.ended(name, error.code === 'SOURCES_FAILED' ? 'soon' : 'in a day')
    // clients go on with what there is: it is not a failure of the whole
    if (!(error instanceof NothingBuilt) || latest === undefined) throw error
    return { build: undefined, output: undefined, recipes: error.recipes, partial: true }
  })
  const { partial, left } = report
  const recipes = [...report.recipes, ...stillFailed(last, report)]
  if (left === undefined) tried.ended(name, recipes.some(({ code }) => code === 'SOURCES_FAILED') ? 'soon' : 'in a day')
  const number = report.build?.number ?? latest
  const publication =
    number === undefined ? undefined : await publishIfNew(config, store, name, number, signing, context)
  const published = publishedNumber(store, name)
  const uploads = await uploadAfterPublish(store, config, name, context)
  const known = recipes.every((one) => isKnown(one, last))
  const outcome = { name, number, recipes, partial, known, ...(uploads.length > 0 && { uploads }) }
  if (report.build !== undefined) return { ...outcome, status: 'built', ...(publication && { publication }) }
  if (publication !== undefined) return { ...outcome, status: 'published', publication }
  if (left !== undefined && known && uploads.length === 0) return leftAlone(name, left)
  return { ...outcome, status: 'unchanged', ...(published !== undefined && { published }) }
}

/** What the last run said of recipes that this one did not try again. */
function stillFailed(last: EndedRun | undefined, { recipes, left = [] }: RepoBuildReport): RecipeOutcome[] {
  const told = new Set(recipes.map(({ base }) => base))
  return last?.recipes.filter(({ base }) => left.includes(base) && !told.has(base)) ?? []
}

/** Whether the last run failed with the same. */
function isKnown({ base, status, code }: RecipeOutcome, last: EndedRun | undefined): boolean {
  return last?.recipes.some((one) => one.base === base && one.status === status && one.code === code) ?? false
}

function leftAlone(name: string, recipes: readonly string[]): Skipped {
  return { name, status: 'skipped', reason: `nothing has changed since these were tried: ${recipes.join(', ')}` }
}
