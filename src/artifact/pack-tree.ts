import type { Build, Input, Pack } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import { validName } from '../model/names.js'
import type { Context } from '../model/report.js'
import { listDirectory, readTextIfThere, statusOf, targetStatusOf } from '../system/files.js'
import { checkPackages, INDEX } from './check-packages.js'
import { copyPack } from './copy-pack.js'
import type { PackPlace } from './copy-pack.js'
import { keepLog } from './keep-log.js'
import { checkBase, packDirectory } from './pack.js'
import type { PackBase } from './pack.js'
import { timestamp, treeRecord } from './tree-record.js'
import { writeArtifact } from './write.js'

export interface TreeRequest {
  /** holds etc-portage/, var-lib-portage/ with world, binpkgs/ with Packages, and repos/NAME/ */
  directory: string
  tree: string
  number: number
  /** the artifact directory to make */
  output: string
  /** ebuild repos to take over from their own artifacts, beside those in repos/ */
  repoPacks?: readonly PackPlace[]
  /** build whose packages need not be packed again: the manifest of its packages pack */
  base?: PackBase
  inputs?: readonly Input[]
  /** program → version */
  tools?: Readonly<Record<string, string>>
  /** ISO 8601, UTC; default: now */
  started?: string
  /** a log file to keep, compressed, in the artifact */
  log?: string
}

const parts = ['repos', 'binpkgs', 'etc-portage', 'var-lib-portage']

/**
 * Packs a machine's parts into an artifact. Ebuild repos are checked for their name, the index of binary packages
 * against the files there are.
 * @throws PROFILE_MISSING, WORLD_MISSING, BASE_NOT_EARLIER, REPOS_MISSING, REPO_NAME_MISSING, REPO_NAME_MISMATCH, REPO_TWICE,
 * PACKAGES_BROKEN, ARTIFACT_EXISTS, what packDirectory and copyPack throw
 */
export async function packTree(request: TreeRequest, context: Context): Promise<Build> {
  const { tree, number, output, base, inputs = [], tools = {} } = request
  validName('tree', tree)
  const started = request.started ?? timestamp()
  checkBase(tree, number, base)
  checkProfile(request.directory)
  const repos = findRepos(request)
  for (const { name } of listDirectory(request.directory)) {
    if (!parts.includes(name))
      context.report.warn(`${request.directory}/${name} is none of ${parts.join(', ')}: left out`)
  }
  return writeArtifact(output, async (artifact) => {
    const packs = [
      ...(await packRepos(request, repos, artifact, context)),
      ...(await packRest(request, artifact, context)),
    ]
    const log = request.log === undefined ? undefined : await keepLog(request.log, artifact, context)
    return treeRecord({ kind: 'machine', tree, number, base: base?.number, inputs, tools, started, packs, log })
  })
}

/** Both parts of what clients take over: without a world file, their next depclean would remove everything. */
function checkProfile(directory: string): void {
  if (!isThere(`${directory}/etc-portage`)) {
    throw configurationError(
      'PROFILE_MISSING',
      `${directory} has no etc-portage/: a machine cannot be configured without it`,
      `put the machine's /etc/portage there; beside it repos/NAME/, binpkgs/ and var-lib-portage/`,
    )
  }
  if (isThere(`${directory}/var-lib-portage`) && statusOf(`${directory}/var-lib-portage/world`)?.isFile()) return
  throw configurationError(
    'WORLD_MISSING',
    `${directory} has no file var-lib-portage/world: clients without one would take every package for a leftover`,
    `put the machine's /var/lib/portage/world there (a file, no link)`,
  )
}

/** Checks everything that can be checked before bytes are moved. */
function findRepos({ directory, repoPacks = [] }: TreeRequest): string[] {
  const repos = `${directory}/repos`
  const names = isThere(repos) ? listDirectory(repos).map(({ name }) => name) : []
  for (const name of names) checkRepo(`${repos}/${name}`, name)
  const all = [...names, ...repoPacks.map(({ pack }) => pack.name)]
  if (all.length === 0) {
    throw configurationError(
      'REPOS_MISSING',
      `${directory} has no ebuild repo in repos/`,
      'put each ebuild repo into repos/NAME/, where NAME is what its profiles/repo_name says',
    )
  }
  const taken = new Set(['etc-portage', 'var-lib-portage', 'packages'])
  for (const name of all) {
    if (taken.has(name)) {
      throw configurationError(
        'REPO_TWICE',
        `the name of the ebuild repo ${name} is taken in this build`,
        'each ebuild repo may be there once, and not be called like another part of a build',
      )
    }
    taken.add(name)
  }
  return names
}

function checkRepo(directory: string, name: string): void {
  validName('ebuild repo', name)
  const file = `${directory}/profiles/repo_name`
  // Portage reads the first line only (lib/portage/repository/config.py, _read_repo_name)
  const found = isThere(`${directory}/profiles`) ? readTextIfThere(file)?.split('\n')[0]?.trim() : undefined
  if (found === undefined || found === '') {
    throw configurationError(
      'REPO_NAME_MISSING',
      `${directory} is no ebuild repo: it has no name in profiles/repo_name`,
      'write its name into profiles/repo_name',
    )
  }
  if (found === name) return
  throw configurationError(
    'REPO_NAME_MISMATCH',
    `${directory} calls itself ${JSON.stringify(found)} in profiles/repo_name`,
    'Portage goes by the name in repo_name: name the directory like it',
  )
}

async function packRepos(
  { directory, repoPacks = [] }: TreeRequest,
  names: readonly string[],
  output: string,
  context: Context,
): Promise<Pack[]> {
  const packs: Pack[] = []
  for (const place of repoPacks) {
    context.report.step(`taking over the ebuild repo ${place.pack.name}`)
    await copyPack(place, output, context)
    packs.push(place.pack)
  }
  for (const name of names) {
    context.report.step(`packing the ebuild repo ${name}`)
    const { pack } = await packDirectory(
      { name, role: 'ebuild-repo', directory: `${directory}/repos/${name}`, output },
      context,
    )
    packs.push(pack)
  }
  return packs
}

async function packRest(request: TreeRequest, output: string, context: Context): Promise<Pack[]> {
  const { directory, base } = request
  const packs: Pack[] = []
  for (const role of ['etc-portage', 'var-lib-portage'] as const) {
    context.report.step(`packing ${role}`)
    packs.push((await packDirectory({ name: role, role, directory: `${directory}/${role}`, output }, context)).pack)
  }
  const binpkgs = `${directory}/binpkgs`
  if (!isThere(binpkgs)) checkPackages(undefined, { entries: [] }, binpkgs)
  context.report.step('packing the binary packages')
  const { pack, manifest } = await packDirectory(
    { name: 'packages', role: 'packages', directory: binpkgs, output, ...(base !== undefined && { base }) },
    context,
  )
  checkPackages(readTextIfThere(`${binpkgs}/${INDEX}`), manifest, binpkgs)
  return [...packs, pack]
}

function isThere(path: string): boolean {
  return targetStatusOf(path)?.isDirectory() ?? false
}
