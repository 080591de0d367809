import { followedSource } from '../arch/vcs-source.js'
import { strangeHead } from '../git/git-remote.js'
import { infrastructureError } from '../model/errors.js'
import type { RecipeRecord } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { ticks } from '../system/clock.js'
import { sha256 } from '../system/hash.js'
import type { FoundRecipe } from './recipe-sources.js'

/** Seconds for all that one recipe follows: its author says how much that is. */
const PATIENCE = 600

/**
 * A digest of whatever decides what a recipe makes: its files, the release and the commit of its tag, and what the
 * repositories that it follows hold now.
 * @param record of the base build: earlier versions had a digest without the tag's commit, which stays while that does
 * @param asked heads that were asked for in this run, by URL and branch
 * @param patience seconds after which no more is asked for
 * @throws GIT_FAILED
 */
export async function fingerprintOf(
  { content, commit, release }: Pick<FoundRecipe, 'content' | 'commit' | 'release'>,
  sources: readonly string[],
  record: Pick<RecipeRecord, 'commit' | 'fingerprint'> | undefined,
  asked: Map<string, Promise<string>>,
  context: Context,
  patience: number = PATIENCE,
): Promise<string> {
  const end = ticks() + patience * 1000
  const heads = []
  for (const entry of sources) {
    const followed = followedSource(entry)
    if (followed === undefined) continue
    const { url, branch } = followed
    const key = JSON.stringify([url, branch ?? null])
    if (ticks() >= end) throw tooSlow(sources.length, patience)
    const head = asked.get(key) ?? strangeHead(url, branch, context)
    asked.set(key, head)
    heads.push([key, await head])
  }
  const inputs = { content, version: release?.version ?? null, heads: heads.sort() }
  const withoutTag = sha256(JSON.stringify(inputs))
  if (release === undefined || (record?.commit === commit && record.fingerprint === withoutTag)) return withoutTag
  return sha256(JSON.stringify({ ...inputs, commit }))
}

function tooSlow(sources: number, patience: number): Error {
  return infrastructureError(
    'GIT_FAILED',
    `asking for what its ${sources} sources hold took longer than ${patience} s`,
    'see which of the servers that its `source` names is slow',
  )
}
