import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repoDirectory } from '../arch/assemble.js'
import { isRoot } from '../chroot/caller.js'
import { publishError, TreeswapError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import { parseFileName } from '../model/pacman-package.js'
import type { Context } from '../model/report.js'
import type { Signer } from '../signing/signer.js'
import { verifyAsClient } from '../signing/verify-as-client.js'
import { environment } from '../system/environment.js'
import { errorCode, makeDirectory, makeTemporaryDirectory, readBytes, removeTree, writeNew } from '../system/files.js'
import { runAny } from '../system/process.js'
import type { Finished } from '../system/process.js'
import type { Parts } from './generation-files.js'
import { wronglyListed } from './listed.js'

/** Milliseconds that a client may take for a repo on the same disk. */
const LIMIT = 300_000

interface Trial {
  /** holds root, databases, cache and keyring of a client */
  place: string
  /** what makes an ordinary user root for pacman, which asks for it; then pacman */
  pacman: string[]
  context: Context
}

/**
 * Lets pacman, where this host has it, read a generation as a client would: databases, signatures, and one package.
 * Where it is not there, or this user cannot run it, nothing is said.
 * @param directory of the generation, whole but for its pointer
 * Without gpg, signatures are verified here instead, and that is said.
 * @throws PUBLISH_TRIAL, SIGNATURE_BAD, ABORTED
 */
export async function tryGeneration(
  parts: Parts,
  directory: string,
  index: FileMap,
  signer: Signer | undefined,
  { report, signal }: Context,
): Promise<void> {
  if (parts.kind !== 'pacman-repo') return
  const late = AbortSignal.timeout(LIMIT)
  const context = { report, signal: AbortSignal.any([signal, late]) }
  const pacman = await startOfPacman(context)
  if (pacman === undefined) return
  let place: string | undefined
  try {
    place = makeTemporaryDirectory(join(environment().TMPDIR ?? '/tmp', 'treeswap-trial-'))
    await tryIn({ place, pacman, context }, parts, directory, index, signer)
  } catch (error) {
    if (late.aborted && !signal.aborted) throw failed(parts, `pacman did not end within ${LIMIT / 1000} seconds`)
    if (error instanceof TreeswapError || errorCode(error) === undefined) throw error
    report.warn(`pacman could not be tried: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    if (place !== undefined) removeTree(place)
  }
}

async function tryIn(
  trial: Trial,
  parts: Extract<Parts, { kind: 'pacman-repo' }>,
  directory: string,
  index: FileMap,
  signer: Signer | undefined,
): Promise<void> {
  const { place, context } = trial
  const tree = parts.build.name
  context.report.step(`letting pacman read ${tree}`)
  for (const name of ['root', 'db', 'cache', 'hooks', 'home']) makeDirectory(join(place, name))
  const trusted = signer !== undefined && (await trust(trial, signer))
  const smallest = parts.packages.toSorted((a, b) => a.size - b.size)[0]
  const { architecture } = parts.recipes
  const inOs = repoDirectory(architecture)
  const repos = [tree, `${tree}-debug`].filter((name) => index.has(`${inOs}/${name}.db`))
  if (signer !== undefined && !trusted) {
    context.report.warn(
      `gpg is missing here or does not take the key ${signer.fingerprint}: pacman reads ${tree} without looking at signatures, which are verified without it`,
    )
    const signed = repos.flatMap((name) => [`${name}.db`, `${name}.files`])
    for (const name of [...signed, ...(smallest === undefined ? [] : [smallest.file])]) {
      const path = join(directory, inOs, name)
      await verifyAsClient(signer.publicKey, readBytes(`${path}.sig`), readBytes(path), name)
    }
  }
  // pacman puts names into $repo and $arch
  const server = pathToFileURL(join(directory, inOs)).href.replaceAll('$', '%24')
  const level = trusted ? 'Required DatabaseRequired' : 'Never'
  writeNew(join(place, 'pacman.conf'), configuration(place, architecture, level, repos, server))
  const must = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await pacman(trial, args)
    if (exitCode === 0) return stdout
    throw failed(parts, `pacman ${args.join(' ')}: ${stderr.trim().split('\n').slice(-4).join(' | ')}`)
  }
  await must('-Sy')
  await must('-Fy')
  const files = parts.packages.map(({ file }) => file)
  const wrong = wronglyListed(await must('-Sl', ...repos), files)
  if (wrong !== undefined) throw failed(parts, `pacman -Sl lists ${wrong}`)
  const name = smallest && parseFileName(smallest.file)?.name
  if (name !== undefined) await must('-Swdd', '--', name)
}

/** Words before pacman's arguments; undefined where it cannot be run. */
async function startOfPacman(context: Context): Promise<string[] | undefined> {
  const runs = async (argv: readonly string[]): Promise<boolean> => {
    const [file = '', ...args] = argv
    const finished = await runAny(file, args, { signal: context.signal, env: { PATH: path() } }).catch(unlessMissing)
    return finished?.exitCode === 0
  }
  if (!(await runs(['pacman', '--version']))) return undefined
  if (isRoot()) return ['pacman']
  for (const start of [['unshare', '--map-root-user'], ['fakeroot']]) {
    if (await runs([...start, 'true'])) return [...start, 'pacman']
  }
  return undefined
}

/** A keyring of its own that trusts the key that clients are told to trust. @returns false where there is no gpg */
async function trust({ place, context }: Trial, { fingerprint, publicKey }: Signer): Promise<boolean> {
  const home = join(place, 'gnupg')
  makeDirectory(home, 0o700)
  const key = join(place, 'key.gpg')
  writeNew(key, publicKey)
  const gpg = async (args: string[], input = ''): Promise<boolean> => {
    const all = ['--homedir', home, '--batch', '--no-tty', '--quiet', '--no-autostart', ...args]
    const ran = await runAny('gpg', all, { signal: context.signal, env: clientEnvironment(place), input }).catch(
      unlessMissing,
    )
    return ran?.exitCode === 0
  }
  return (
    (await gpg(['--import', key])) &&
    (await gpg(['--import-ownertrust'], `${fingerprint}:6:\n`)) &&
    (await gpg(['--check-trustdb']))
  )
}

function configuration(
  place: string,
  architecture: string,
  level: string,
  repos: readonly string[],
  server: string,
): string {
  return `[options]
RootDir = ${place}/root
DBPath = ${place}/db
CacheDir = ${place}/cache
GPGDir = ${place}/gnupg
HookDir = ${place}/hooks
LogFile = ${place}/log
Architecture = ${architecture}
SigLevel = ${level}
${repos.map((name) => `\n[${name}]\nServer = ${server}\n`).join('')}`
}

async function pacman(
  { place, pacman: [file = '', ...start], context }: Trial,
  args: readonly string[],
): Promise<Finished> {
  const options = ['--config', join(place, 'pacman.conf'), '--noconfirm', '--color', 'never']
  return await runAny(file, [...start, ...options, ...args], { signal: context.signal, env: clientEnvironment(place) })
}

/** None of this process's own: no proxy, no keyring, no words but English ones. */
function clientEnvironment(place: string): Record<string, string> {
  return { PATH: path(), HOME: join(place, 'home'), LC_ALL: 'C' }
}

function path(): string {
  return environment().PATH ?? '/usr/bin:/bin'
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof TreeswapError && error.code === 'PROGRAM_MISSING') return undefined
  throw error
}

function failed({ build }: Parts, why: string): Error {
  return publishError(
    'PUBLISH_TRIAL',
    `pacman on this host does not take ${build.name}@${build.number} as it would be published: ${why}`,
    'clients are served what they were; see what is wrong with that package or key, or publish with --no-trial if it is pacman on this host',
  )
}
