import { followedSource } from '../arch/vcs-source.js'
import type { Context } from '../model/report.js'
import { sha256 } from '../system/hash.js'
import { strangeHead } from './git-remote.js'
import type { FoundRecipe } from './recipe-sources.js'

/**
 * A digest of whatever decides what a recipe makes: its files, the release, and what the repositories that it follows
 * hold now.
 * @param asked heads that were asked for in this run, by URL and branch
 * @throws GIT_FAILED
 */
export async function fingerprintOf(
  { content, release }: FoundRecipe,
  sources: readonly string[],
  asked: Map<string, Promise<string>>,
  context: Context,
): Promise<string> {
  const heads = []
  for (const entry of sources) {
    const followed = followedSource(entry)
    if (followed === undefined) continue
    const { url, branch } = followed
    const key = JSON.stringify([url, branch ?? null])
    const head = asked.get(key) ?? strangeHead(url, branch, context)
    asked.set(key, head)
    heads.push([key, await head])
  }
  return sha256(JSON.stringify({ content, version: release?.version ?? null, heads: heads.sort() }))
}
