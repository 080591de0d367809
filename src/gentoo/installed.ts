import { buildError } from '../model/errors.js'

/** A package in a root's database (/var/db/pkg). */
export interface InstalledPackage {
  /** CATEGORY/PF */
  cpv: string
  /** seconds since 1970; empty where the package does not tell */
  buildTime: string
  buildId: string
}

/** Run inside the container, because the root's database is the container's to write. */
const script = `
import json, portage
db = portage.db[portage.root]["vartree"].dbapi
keys = ["BUILD_TIME", "BUILD_ID"]
print(json.dumps({
    "portage": portage.VERSION,
    "packages": [[str(cpv), *db.aux_get(cpv, keys)] for cpv in sorted(db.cpv_all())],
}))
`

export const listInstalledCommand: string[] = ['python3', '-c', script]

export interface Installed {
  portageVersion: string
  packages: InstalledPackage[]
}

/** @throws ROOT_UNREADABLE */
export function parseInstalled(output: string): Installed {
  const line = output.split('\n').find((text) => text.startsWith('{"portage"'))
  try {
    const value: unknown = JSON.parse(line ?? '')
    if (isListing(value)) {
      const packages = value.packages.map(([cpv, buildTime, buildId]) => ({ cpv, buildTime, buildId }))
      return { portageVersion: value.portage, packages }
    }
  } catch {
    // the error below says what came instead
  }
  throw buildError(
    'ROOT_UNREADABLE',
    `Portage in the chroot could not list what is installed: ${output.trim().split('\n').slice(-3).join(' | ')}`,
    'open a shell with `treeswap chroot shell` and see whether `emerge --info` works there',
  )
}

function isListing(value: unknown): value is { portage: string; packages: [string, string, string][] } {
  if (typeof value !== 'object' || value === null) return false
  const { portage, packages } = value as Record<string, unknown>
  return typeof portage === 'string' && Array.isArray(packages) && packages.every(isRow)
}

function isRow(row: unknown): boolean {
  return Array.isArray(row) && row.length === 3 && row.every((field) => typeof field === 'string')
}
