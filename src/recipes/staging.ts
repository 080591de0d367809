import { join } from 'node:path'
import { databaseFiles } from '../arch/database.js'
import type { DatabaseEntry } from '../arch/database.js'
import { STAGING, stagingConfiguration } from '../arch/dependencies.js'
import { linkOrCopy, makeDirectory, writeNew } from '../system/files.js'

/** A package that other recipes may be built with. */
export interface StagedPackage extends DatabaseEntry {
  /** absolute path of its file */
  path: string
}

/** Makes the directory from which a recipe's build installs packages of its own repo. */
export async function makeStaging(directory: string, packages: readonly StagedPackage[]): Promise<void> {
  makeDirectory(directory)
  for (const { path, file } of packages) linkOrCopy(path, join(directory, file))
  writeNew(join(directory, `${STAGING}.db`), (await databaseFiles(packages)).db)
  for (const [name, text] of Object.entries(stagingConfiguration)) writeNew(join(directory, name), text)
}
