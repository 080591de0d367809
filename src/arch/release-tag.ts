import { compareVersions } from '../model/pacman-version.js'

export interface ReleaseTag {
  /** without refs/tags/ */
  tag: string
  /** pkgver that it stands for */
  version: string
}

/** What stands between a version and the name of what comes before it: without it, pacman knows 1.1rc1 as older than 1.1. */
const beforeRelease = /(?<=[0-9])[-_.~](?=(alpha|beta|pre|preview|rc|dev)(?![a-z]))/gi

/**
 * The newest of the tags that fit a pattern with one `*`: what `*` stands for is its pkgver, with `_` for what a pkgver
 * must not hold, and candidates written as Arch does (`1.1-rc1` is 1.1rc1). Tags that stand for no version are left out.
 */
export function newestRelease(pattern: string, tags: readonly string[]): ReleaseTag | undefined {
  const [before = '', after = ''] = pattern.split('*')
  const releases = tags.flatMap((tag) => {
    if (tag.length < before.length + after.length || !tag.startsWith(before) || !tag.endsWith(after)) return []
    const version = tag
      .slice(before.length, tag.length - after.length)
      .replace(beforeRelease, '')
      .replace(/[-:/\s]/g, '_')
    return /^[0-9][A-Za-z0-9_.+~]*$/.test(version) ? [{ tag, version }] : []
  })
  return releases.sort((a, b) => compareVersions(a.version, b.version) || (a.tag < b.tag ? -1 : 1)).at(-1)
}
