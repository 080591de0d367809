import { resolve } from 'node:path'
import * as z from 'zod'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import { jenkinsOf, openSource } from '../agent/sources.js'
import { waitingForRoots } from '../agent/wait-for-root.js'
import type { Config } from '../config/config.js'
import { pacmanRepoOf } from '../config/trees.js'
import { lastArtifact } from '../jenkins/last-artifact.js'
import { TreeswapError } from '../model/errors.js'
import { count } from '../model/quantity.js'
import type { Context } from '../model/report.js'
import { planOf } from '../recipes/prepare-repo.js'
import { keyringOf } from '../recipes/repo-keyring.js'
import { AGAIN_AFTER, newsIn, wantedOf } from '../recipes/wanted-recipes.js'
import type { WantedRecipes } from '../recipes/wanted-recipes.js'
import { now } from '../system/clock.js'
import { makeDirectory, removeTree, writeNew } from '../system/files.js'
import { REPORT } from './files.js'
import type { RequestOf, StepOutcome } from './request.js'

const PLAN = `${REPORT}/plan.json`
const MAX_PLAN = 8 * 1024 * 1024
/** names in a description */
const NAMED = 5

/** What a poll asked to be built: archived, so that the next one does not ask for the same. */
const asked = z.object({
  schema: z.literal(1),
  at: z.iso.datetime(),
  /** as WantedRecipes */
  wanted: z.record(z.string(), z.string()),
})

/**
 * Finds out whether the packages job of a repo has something to do that it was not asked for in the last day: what has
 * failed is not tried again before something has changed. Where it has nothing to do, the values say `unchanged`.
 * @throws TREE_UNKNOWN, and what planOf and the sources throw
 */
export async function pollStep(config: Config, request: RequestOf<'poll'>, context: Context): Promise<StepOutcome> {
  const { builder } = config
  const repo = pacmanRepoOf(config, request.repo)
  removeTree(resolve(REPORT))
  const service = waitingForRoots(rootServiceOf(builder))
  await ensureChroot(config, repo.chroot, context, service)
  const base = openSource(`jenkins:${packagesJob(config, repo.name)}`, config, { context })
  const plan = await planOf(
    { repo, builder, service, keyring: keyringOf(config, repo), base, asked: new Set() },
    context,
  ).catch(busy)
  if (plan === undefined) return { description: `${repo.name} is being built`, values: { unchanged: true } }
  const wanted = wantedOf(plan, plan.newKeyring)
  for (const { base: name, why } of plan.steps) if (wanted.has(name)) context.report.line(`${name}: ${why.join('; ')}`)
  const before = await askedBefore(config, request.job, context)
  const news = newsIn(wanted, before)
  const broken = plan.broken.map(({ base: name, error }) => `${name}: ${error.message}`).join('; ')
  for (const { base: name, error } of plan.broken) context.report.warn(`${name} [${error.code}]: ${error.message}`)
  if (news.length > 0) {
    makeDirectory(resolve(REPORT))
    const document = { schema: 1, at: new Date(now()).toISOString(), wanted: Object.fromEntries(wanted) }
    writeNew(resolve(PLAN), `${JSON.stringify(document, undefined, 2)}\n`)
    return { description: `to do: ${named(news)}`, artifacts: [PLAN], values: { news } }
  }
  const waiting =
    wanted.size === 0 ? 'nothing has changed' : `nothing new: ${named([...wanted.keys()])} was asked for before`
  if (broken === '') return { description: waiting, values: { unchanged: true } }
  const description = `${count(plan.broken.length, 'recipe')} cannot be read`
  return { status: 'unstable', message: broken, description }
}

function packagesJob({ jenkins }: Config, name: string): string {
  return `${jenkins?.folder ?? 'treeswap'}/packages/${name}`
}

function busy(error: unknown): undefined {
  if (!(error instanceof TreeswapError) || error.code !== 'LOCKED') throw error
}

/** What the last poll that found something has asked for. */
async function askedBefore(config: Config, job: string, context: Context): Promise<WantedRecipes> {
  const text = await lastArtifact(jenkinsOf(config, context), job, PLAN, MAX_PLAN)
  const document = text === undefined ? undefined : asked.safeParse(parseJson(text)).data
  if (document === undefined || now() - Date.parse(document.at) > AGAIN_AFTER) return new Map()
  return new Map(Object.entries(document.wanted))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function named(names: readonly string[]): string {
  const more = names.length - NAMED
  return names.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
