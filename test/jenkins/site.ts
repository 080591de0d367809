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

/** @param change of the text: its lines may be replaced */
export function siteConfig(change: (text: string) => string = (same) => same): Config {
  return parseConfig(change(siteText), '/etc/treeswap/treeswap.yaml')
}
