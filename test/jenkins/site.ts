import { parseConfig } from '../../src/config/load.js'
import type { Config } from '../../src/config/config.js'

/** A configuration with what is awkward in shell, Groovy and XML: quotes, ampersands, a space. */
export const siteText = `schema: 1
jenkins:
  url: https://ci.example.org/
  config: { url: 'https://git.example.org/site.git', branch: "it's&new", credentials: git-read, path: "my site/treeswap.yaml" }
  keep-builds: 7
  timeout: 90m
repos:
  gentoo: { url: 'https://git.example.org/gentoo.git', branch: stable }
  guru: { url: 'https://git.example.org/guru.git?a=1&b=<2>' }
machines:
  database:
    profile: { url: 'https://git.example.org/machines.git', path: database }
    repos: [gentoo, guru]
  web:
    profile: { url: 'https://git.example.org/machines.git', path: web }
    repos: [gentoo]
    schedule: ''
    publish: false
`

/** Two pacman repos, one of them signed with a key that Jenkins has; they go to the end of the file. */
const pacmanText = `keys:
  release:
    fingerprint: 0123456789ABCDEF0123456789ABCDEF01234567
    public: release.asc
    credentials: release-key
    passphrase-credentials: release-phrase
pacman:
  instant:
    repositories: [{ url: 'https://git.example.org/packages.git', schedule: 'H/5 * * * *' }]
    programs: [{ url: 'https://git.example.org/program.git', tags: 'v*', schedule: 'H/5 * * * *' }]
    lists: [{ url: 'https://git.example.org/lists.git', file: aur }]
    sign: release
  quiet:
    repositories: [{ url: 'https://git.example.org/quiet.git', schedule: '' }]
    publish: false
`

export const withPacman = (text: string): string => text + pacmanText

/** @param change of the text: its lines may be replaced */
export function siteConfig(change: (text: string) => string = (same) => same): Config {
  return parseConfig(change(siteText), '/etc/treeswap/treeswap.yaml')
}
