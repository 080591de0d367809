import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const project = new URL('../../', import.meta.url).pathname

/**
 * The shared library as Jenkins has it on disk, with a runner that belongs to it.
 * @param runner its text; default: the one that was compiled last
 */
export function makeLibrary(
  directory: string,
  runner = readFileSync(join(project, 'dist/treeswap.mjs'), 'utf8'),
): string {
  const resources = join(directory, 'resources/treeswap')
  mkdirSync(resources, { recursive: true })
  cpSync(join(project, 'vars'), join(directory, 'vars'), { recursive: true })
  cpSync(join(project, 'resources/treeswap/run.sh'), join(resources, 'run.sh'))
  cpSync(join(project, 'jobs/seed.groovy'), join(resources, 'seed.groovy'))
  writeFileSync(join(resources, 'treeswap.mjs'), runner)
  writeFileSync(join(resources, 'treeswap.mjs.sha256'), `${createHash('sha256').update(runner).digest('hex')}\n`)
  return directory
}
