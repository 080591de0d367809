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
import type { Settled } from './repo-outcome.js'

/** The keyring package of a repo; undefined where clients are to trust no key. @throws what keyringPackage throws */
export async function keyringOf(
  { keys }: Pick<Config, 'keys'>,
  { name, trust, revoke, packager }: PacmanConfig,
): Promise<KeyringPackage | undefined> {
  if (trust.length === 0) return undefined
  const named = (names: readonly string[]) => names.flatMap((one) => keys.get(one) ?? [])
  return await keyringPackage(name, named(trust), named(revoke), packager)
}

/** Whether the tree has not got this very keyring. */
export function isNewKeyring(keyring: KeyringPackage | undefined, before: Recipes | undefined): boolean {
  return keyring !== undefined && before?.recipes.get(keyring.name)?.fingerprint !== sha256(keyring.bytes)
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
  const { name, version, fileName: file, bytes } = keyring
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
    fingerprint: digest,
    version,
    packages,
    built: number,
    dependencies: new Map(),
    status: 'built',
  }
}
