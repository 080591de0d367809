import { join } from 'node:path'
import { newestRelease } from '../arch/release-tag.js'
import type { ReleaseTag } from '../arch/release-tag.js'
import type { Clones } from '../git/clones.js'
import { remoteTags } from '../git/git-remote.js'
import { fetchGit } from '../git/git.js'
import type { Checkout } from '../git/git.js'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { sha256 } from '../system/hash.js'

/**
 * Clones of recipes' repositories, each brought up to date once: whatever is read of a branch is of one commit. Each
 * branch, and each pattern of tags, has a work tree of its own, as recipes are copied out of it later.
 */
export class RecipeCheckouts {
  private readonly begun = new Map<string, Promise<Checkout & { release?: ReleaseTag }>>()

  constructor(
    private readonly clones: Clones,
    private readonly context: Context,
  ) {}

  /**
   * @param branch default: the remote's HEAD
   * @throws GIT_FAILED
   */
  async ofBranch(url: string, branch?: string): Promise<Checkout> {
    return await this.once([url, branch ?? null, null], (place) => fetchGit({ url, branch }, place, this.context))
  }

  /**
   * The newest release whose tag fits a pattern.
   * @throws GIT_FAILED, TAGS_MISSING
   */
  async ofRelease(url: string, tags: string): Promise<Checkout & { release?: ReleaseTag }> {
    return await this.once([url, null, tags], async (place) => {
      const release = newestRelease(tags, await remoteTags(url, this.context))
      if (release === undefined) throw withoutRelease(url, tags)
      return { ...(await fetchGit({ url, tag: release.tag }, place, this.context)), release }
    })
  }

  private once<T extends Checkout>(key: (string | null)[], fetch: (place: string) => Promise<T>): Promise<T>
  private once(key: (string | null)[], fetch: (place: string) => Promise<Checkout>): Promise<Checkout> {
    const name = sha256(JSON.stringify(key)).slice(0, 24)
    this.clones.used.add(name)
    const checkout = this.begun.get(name) ?? fetch(join(this.clones.directory, name))
    this.begun.set(name, checkout)
    return checkout
  }
}

function withoutRelease(url: string, tags: string): Error {
  return configurationError(
    'TAGS_MISSING',
    `${url} has no tag that fits ${tags} and stands for a version`,
    'tag a release there (v1.2), or mend `tags`; without `tags` its branch is followed',
  )
}
