import { compareVersions } from '../model/pacman-version.js'

export interface ReleaseTag {
  /** without refs/tags/ */
  tag: string
  /** pkgver that it stands for */
  version: string
}

/**
 * The newest of the tags that fit a pattern with one `*`: what `*` stands for is its pkgver, with `_` for what a pkgver
 * must not hold. Tags that stand for no version are left out.
 */
export function newestRelease(pattern: string, tags: readonly string[]): ReleaseTag | undefined {
  const [before = '', after = ''] = pattern.split('*')
  const releases = tags.flatMap((tag) => {
    if (tag.length < before.length + after.length || !tag.startsWith(before) || !tag.endsWith(after)) return []
    const version = tag.slice(before.length, tag.length - after.length).replace(/[-:/\s]/g, '_')
    return /^[0-9][A-Za-z0-9_.+~]*$/.test(version) ? [{ tag, version }] : []
  })
  return releases.sort((a, b) => compareVersions(a.version, b.version) || (a.tag < b.tag ? -1 : 1)).at(-1)
}
