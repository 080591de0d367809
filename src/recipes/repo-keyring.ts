import { join } from 'node:path'
import { keyringPackage } from '../arch/keyring-package.js'
import type { KeyringPackage } from '../arch/keyring-package.js'
import { readPackageFile } from '../arch/package-file.js'
import type { Config } from '../config/config.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { writeNew } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import type { Settled } from './settle.js'

/** Makes the keyring package of a repo; undefined where clients are to trust no key. */
export type MakeKeyring = (before: Recipes | undefined) => Promise<KeyringPackage | undefined>

/**
 * What makes the keyring package of a repo: where it says something else than that of before, with a higher version.
 * @throws what keyringPackage throws, when it is called
 */
export function keyringOf({ keys }: Pick<Config, 'keys'>, repo: PacmanConfig): MakeKeyring {
  const { name, trust, revoke, packager } = repo
  const named = (names: readonly string[]) => names.flatMap((one) => keys.get(one) ?? [])
  return async (before) => {
    if (trust.length === 0) return undefined
    const make = (above?: string) => keyringPackage(name, named(trust), named(revoke), packager, above)
    const made = await make()
    const record = before?.recipes.get(made.name)
    return record === undefined || record.fingerprint === made.fingerprint ? made : await make(record.version)
  }
}

/** Whether the tree has not got this very keyring. */
export function isNewKeyring(keyring: KeyringPackage | undefined, before: Recipes | undefined): boolean {
  return keyring !== undefined && before?.recipes.get(keyring.name)?.fingerprint !== keyring.fingerprint
}

/**
 * Takes the keyring into a build, as if a recipe had made it.
 * @returns what recipes.json says of it
 */
export async function addKeyring(
  keyring: KeyringPackage,
  before: Recipes | undefined,
  settled: Settled,
  { number, work }: { number: number; work: string },
  context: Context,
): Promise<RecipeRecord> {
  const { name, version, fileName: file, bytes, fingerprint } = keyring
  const record = before?.recipes.get(name)
  if (record !== undefined && !isNewKeyring(keyring, before)) return { ...record, status: 'kept' }
  const path = join(work, file)
  writeNew(path, bytes)
  const digest = sha256(bytes)
  const made = { path, file, size: bytes.length, sha256: digest, record: await readPackageFile(path, context) }
  settled.packages.set(name, { ...made, base: name })
  settled.outcomes.push({ base: name, status: 'built', version })
  const packages = [{ name, file, version }]
  const source = 'keys of the configuration'
  return {
    source,
    commit: digest,
    fingerprint,
    version,
    packages,
    built: number,
    dependencies: new Map(),
    status: 'built',
  }
}
