import { readText } from './files.js'

declare const TREESWAP_VERSION: string | undefined

/** Version of this treeswap: compiled in, or that of package.json where the sources run. */
export function version(): string {
  if (typeof TREESWAP_VERSION === 'string') return TREESWAP_VERSION
  const { version } = JSON.parse(readText(new URL('../../package.json', import.meta.url).pathname)) as {
    version: string
  }
  return version
}
