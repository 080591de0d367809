import { join } from 'node:path'
import { builderDirectories } from '../agent/directories.js'
import type { ChrootConfig } from '../config/config.js'
import { isDirectory, targetStatusOf } from '../system/files.js'
import { fail, ok, warn } from './finding.js'
import type { Finding } from './finding.js'

/** Whether what the configured roots are made from is there. */
export function checkChroots(chroots: readonly ChrootConfig[], builder: string): Finding[] {
  return chroots.flatMap(({ name, from }) => {
    if (from === undefined) return []
    const what = `chroot ${name}`
    if (targetStatusOf(from) !== undefined) return [ok('build', what, `is made from ${from}`)]
    const hint = `put a tarball or a directory there, or correct chroots.${name}.from in the configuration`
    return isDirectory(join(builderDirectories(builder).chroots, name))
      ? [warn('build', what, `is there, but could not be made again: there is no ${from}`, hint)]
      : [fail('build', what, `cannot be made: there is no ${from}`, hint)]
  })
}
