import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withLock } from '../../src/system/lock.js'

/** What is expensive to make lies here between runs; safe to delete. */
const cacheDirectory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'treeswap')

/** A short name for the way something is made: another recipe gets another place in the cache. */
export function recipeKey(recipe: unknown): string {
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)
}

/**
 * A directory of the cache, made on first use. `fill` works on a temporary name, so what is there is complete.
 * @returns its path
 */
export async function cachedDirectory(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(cacheDirectory, name)
  if (existsSync(directory)) return directory
  mkdirSync(cacheDirectory, { recursive: true })
  await withLock(`${directory}.lock`, { what: `the cache's ${name}`, wait: 900 }, async () => {
    if (existsSync(directory)) return
    const partial = `${directory}.partial`
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(partial)
    await fill(partial)
    renameSync(partial, directory)
  })
  return directory
}
