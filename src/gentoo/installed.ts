import * as z from 'zod'
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
from portage._sets import load_default_config
trees = portage.db[portage.root]
db = trees["vartree"].dbapi
keys = ["BUILD_TIME", "BUILD_ID"]
atoms = load_default_config(portage.settings, trees).getSets()["selected"].getAtoms()
libraries = db._plib_registry
if libraries is not None:
    libraries.lock()
    libraries.load()
print(json.dumps({
    "portage": portage.VERSION,
    "packages": [[str(cpv), *db.aux_get(cpv, keys)] for cpv in sorted(db.cpv_all())],
    "unsatisfied": sorted(str(atom) for atom in atoms if not db.match(atom)),
    "preserved": sorted(path for paths in (libraries.getPreservedLibs() if libraries else {}).values() for path in paths),
}))
`

export const listInstalledCommand: string[] = ['python3', '-c', script]

export interface Installed {
  portageVersion: string
  packages: InstalledPackage[]
  /** atoms of the world that nothing installed satisfies */
  unsatisfied: string[]
  /** libraries of replaced packages that something still uses */
  preserved: string[]
}

const listing = z.object({
  portage: z.string(),
  packages: z.array(z.tuple([z.string(), z.string(), z.string()])),
  unsatisfied: z.array(z.string()),
  preserved: z.array(z.string()),
})

/** @throws ROOT_UNREADABLE */
export function parseInstalled(output: string): Installed {
  const line = output.split('\n').find((text) => text.startsWith('{"portage"'))
  const result = listing.safeParse(line === undefined ? undefined : parseJson(line))
  if (result.success) {
    const { portage, packages, ...rest } = result.data
    return {
      portageVersion: portage,
      packages: packages.map(([cpv, buildTime, buildId]) => ({ cpv, buildTime, buildId })),
      ...rest,
    }
  }
  throw buildError(
    'ROOT_UNREADABLE',
    `Portage in the chroot could not list what is installed: ${output.trim().split('\n').slice(-3).join(' | ')}`,
    'open a shell with `treeswap chroot shell` and see whether `emerge --info` works there',
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
