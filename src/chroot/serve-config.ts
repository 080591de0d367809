import { parse } from 'yaml'
import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import { didYouMean, isName } from '../model/names.js'
import { duration, size } from '../model/quantities.js'
import { readText, statusOf } from '../system/files.js'
import { absolutePath, type Limits } from './requests.js'
import { requireTrusted } from './trusted-path.js'

/** Where the root program's configuration lies, unless the sudo rule itself names another file. */
export const ROOT_CONFIG = '/etc/treeswap/root.yaml'

/** What an unprivileged builder may have done by root. */
export interface RootConfig {
  /** name of the one user who may */
  user: string
  /** where roots are kept; nobody but root may write there, nor above it */
  directory: string
  /** directories below which everything lies that a container is lent */
  binds: string[]
  chroots: ReadonlyMap<string, AllowedChroot>
}

export interface AllowedChroot {
  name: string
  /** tarball or directory it is made from; undefined: made by the administrator */
  from: string | undefined
  /** whether programs in it may use the host's network */
  network: boolean
  /** scratch sessions at a time; each may use what `limits` allows */
  scratch: number
  /** at most; what is absent is not limited here */
  limits: Limits
}

const limits = z.strictObject({
  memory: size.optional(),
  processes: z.int().min(16).optional(),
  time: duration.optional(),
  disk: size.optional(),
})

const allowed = z.strictObject({
  from: absolutePath.optional(),
  network: z.boolean().default(false),
  scratch: z.int().min(1).max(1000).default(4),
  limits: limits.default({}),
})

const written = z.strictObject({
  schema: z.literal(1),
  user: z.string().min(1),
  directory: absolutePath.default('/var/lib/treeswap/chroots'),
  binds: z.array(absolutePath).min(1),
  chroots: z.record(
    z.string().refine((name) => isName('chroot', name), 'is no name of a chroot'),
    allowed,
  ),
})

/**
 * Reads the configuration, which root alone must be able to change.
 * @throws ROOT_CONFIG_MISSING, NOT_ROOTS_ALONE, ROOT_CONFIG_INVALID
 */
export function loadRootConfig(file: string): RootConfig {
  if (statusOf(file) === undefined) {
    throw configurationError(
      'ROOT_CONFIG_MISSING',
      `the root program has no configuration: there is no ${file}`,
      'let the administrator write it as docs/jenkins-agent.md says; it belongs to root',
    )
  }
  const config = parseRootConfig(readText(requireTrusted(file, 'the configuration of the root program')), file)
  // a directory that is not there yet is made by root, in one that has to be there
  const { directory } = config
  requireTrusted(statusOf(directory) === undefined ? parentOf(directory) : directory, 'the directory of the chroots')
  return config
}

/**
 * @param file named in errors
 * @throws ROOT_CONFIG_INVALID
 */
export function parseRootConfig(text: string, file: string): RootConfig {
  const result = written.safeParse(parsed(text, file))
  if (!result.success) throw invalid(file, result.error.issues.map(explain).join('; '))
  const { user, directory, binds, chroots } = result.data
  for (const bind of binds) {
    if (bind === '/' || overlap(bind, directory)) {
      throw invalid(file, `${bind} under binds and ${directory} must lie apart: nothing of root's may be lent`)
    }
  }
  return {
    user,
    directory,
    binds,
    chroots: new Map(
      Object.entries(chroots).map(
        ([
          name,
          {
            from,
            network,
            scratch,
            limits: { memory, processes, time, disk },
          },
        ]) => [
          name,
          {
            name,
            from,
            network,
            scratch,
            limits: {
              ...(memory !== undefined && { memory }),
              ...(processes !== undefined && { processes }),
              ...(time !== undefined && { seconds: time }),
              ...(disk !== undefined && { disk }),
            },
          },
        ],
      ),
    ),
  }
}

function explain(issue: z.core.$ZodIssue): string {
  const { path, message } = issue
  const place = path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') return place === '' ? message : `${place}: ${message}`
  // chroots.NAME, chroots.NAME.limits
  const { shape } = path.length === 0 ? written : path.length === 2 ? allowed : limits
  const known = Object.keys(shape)
  const meant = (key: string): string => didYouMean(key, known) || `there are ${known.join(', ')}`
  return issue.keys.map((key) => `${[...path.map(String), key].join('.')}: unknown key: ${meant(key)}`).join('; ')
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error))
  }
}

function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`)
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

function invalid(file: string, why: string): Error {
  return configurationError(
    'ROOT_CONFIG_INVALID',
    `the configuration of the root program is not valid: ${file}: ${why}`,
    'let the administrator mend it as docs/jenkins-agent.md says',
  )
}
