import type { Config, MachineConfig } from '../config/config.js'
import { configurationError } from '../model/errors.js'

/** Repo → the repos it builds upon, as far as that is known. */
export type Masters = ReadonlyMap<string, readonly string[]>

/**
 * Orders repos so that each comes after its masters, as far as those are known from their checkouts.
 * @param masters repo → the repos it builds upon
 */
export function mastersFirst(names: readonly string[], masters: Masters): string[] {
  const ordered = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.has(name) || path.includes(name) || !names.includes(name)) return
    for (const master of masters.get(name) ?? []) visit(master, [...path, name])
    ordered.add(name)
  }
  for (const name of names) visit(name, [])
  return [...ordered]
}

/** Where the cache of a repo is generated: in its own root, or in that of the first machine that needs the repo. */
export function chrootFor(config: Config, name: string, masters: Masters): string | undefined {
  const configured = config.repos.get(name)?.chroot
  return configured ?? [...config.machines.values()].find(({ repos }) => withMasters(repos, masters).has(name))?.chroot
}

/**
 * Portage takes a repo only together with its masters, so a machine must have them all.
 * @throws MASTER_NOT_LISTED
 */
export function requireMasters(config: Config, { name, repos }: MachineConfig, masters: Masters): void {
  for (const repo of repos) {
    const missing = (masters.get(repo) ?? []).filter((master) => config.repos.has(master) && !repos.includes(master))
    if (missing.length === 0) continue
    throw configurationError(
      'MASTER_NOT_LISTED',
      `${name} has the ebuild repo ${repo}, but not ${missing.join(', ')}, upon which that builds`,
      `add ${missing.join(', ')} to machines.${name}.repos in ${config.file}`,
    )
  }
}

function withMasters(repos: readonly string[], masters: Masters): Set<string> {
  const all = new Set(repos)
  for (const name of all) for (const master of masters.get(name) ?? []) all.add(master)
  return all
}
