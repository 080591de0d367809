import { join } from 'node:path'
import { databaseFiles } from '../arch/database.js'
import type { DatabaseEntry } from '../arch/database.js'
import { STAGING, stagingConfiguration } from '../arch/makepkg.js'
import { linkOrCopy, makeDirectory, writeNew } from '../system/files.js'

/** A package that other recipes may be built with. */
export interface StagedPackage extends DatabaseEntry {
  /** absolute path of its file */
  path: string
}

/** Makes the directory from which a recipe's build installs packages of its own repo. */
export function makeStaging(directory: string, packages: readonly StagedPackage[]): void {
  makeDirectory(directory)
  for (const { path, file } of packages) linkOrCopy(path, join(directory, file))
  writeNew(join(directory, `${STAGING}.db`), databaseFiles(packages).db)
  for (const [name, text] of Object.entries(stagingConfiguration)) writeNew(join(directory, name), text)
}
