import { resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import type * as z from 'zod'
import { configurationError, infrastructureError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import { exists, readText } from '../system/files.js'
import { resolveConfig } from './config.js'
import type { Config } from './config.js'
import { contradictions } from './contradictions.js'
import type { Problem } from './contradictions.js'
import { locate } from './locate.js'
import { configJsonSchema, schema, SCHEMA_VERSION } from './schema.js'

/** The host's own configuration. */
export const HOST_CONFIG = '/etc/treeswap/treeswap.yaml'

/** Where the configuration is looked for when no file is named. */
const CONFIG_FILES = ['treeswap.yaml', HOST_CONFIG]

/** The smallest configuration that does something. */
const EXAMPLE = `schema: 1
publisher:
  root: /srv/treeswap
  rsync: rsync://pkgs.example.org
  http: http://pkgs.example.org
chroots:
  database: { from: /var/lib/treeswap/stage3-amd64.tar.xz }
repos:
  gentoo: { url: 'https://github.com/gentoo-mirror/gentoo.git', branch: stable }
machines:
  database:
    profile: { url: 'https://git.example.org/machines.git', path: database }
    repos: [gentoo]
`

function findConfig(file: string | undefined): string {
  if (file !== undefined && exists(file)) return resolve(file)
  const found = file === undefined ? CONFIG_FILES.find(exists) : undefined
  if (found !== undefined) return resolve(found)
  throw configurationError(
    'CONFIG_MISSING',
    file === undefined ? `there is no configuration: neither ./${CONFIG_FILES.join(' nor ')}` : `there is no ${file}`,
    `name it by --config FILE, or write one (\`treeswap config schema\` prints its JSON Schema), for example:\n\n${EXAMPLE}`,
  )
}

/**
 * Reads and checks a configuration.
 * @param file named by the user; undefined: the first of CONFIG_FILES that is there
 * @throws CONFIG_MISSING, CONFIG_UNREADABLE, CONFIG_TOO_NEW, CONFIG_INVALID with every fault as FILE:LINE:COLUMN
 */
export function loadConfig(file?: string): Config {
  const path = findConfig(file)
  return parseConfig(readConfig(path), path)
}

/** The same, for commands that do without one; undefined where none was named and none is there. */
export function loadConfigIfThere(file?: string): Config | undefined {
  return file === undefined && !CONFIG_FILES.some(exists) ? undefined : loadConfig(file)
}

function readConfig(file: string): string {
  try {
    return readText(file)
  } catch (cause) {
    throw infrastructureError(
      'CONFIG_UNREADABLE',
      `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      'see that it is a file that this user may read',
      cause,
    )
  }
}

/** @param file absolute path: named in errors, and where relative paths start */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const broken = [...document.errors, ...document.warnings]
  if (broken.length > 0) {
    throw invalid(
      file,
      broken.map(({ message, pos }) => {
        const { line, col } = lines.linePos(pos[0])
        return `${file}:${line}:${col}: ${message}`
      }),
    )
  }
  const data = withEmptySections(toPlain(document, file))
  requireMap(data, file)
  refuseNewer(data, file)
  const result = schema.safeParse(data)
  const problems = result.success
    ? contradictions(resolveConfig(result.data, file))
    : result.error.issues.flatMap(explain)
  if (result.success && problems.length === 0) return resolveConfig(result.data, file)
  throw invalid(
    file,
    problems.map((problem: Fault) => describeFault(problem, file, document, lines)),
  )
}

function describeFault(
  { path, message, at = 'value' }: Fault,
  file: string,
  document: Document,
  lines: LineCounter,
): string {
  const name = path.length === 0 ? '' : `${path.map(String).join('.')}: `
  return `${file}:${locate(document, lines, path, at)}: ${name}${message}`
}

interface Fault extends Problem {
  at?: 'key' | 'value'
}

function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw invalid(file, [`${file}: ${error instanceof Error ? error.message : String(error)}`])
  }
}

/** A section whose every line is commented out is null in YAML: it counts as empty. */
function withEmptySections(data: unknown): unknown {
  if (!isRecord(data)) return data
  const filled = fillIn(data, ['publisher', 'builder', 'chroots', 'repos', 'machines', 'jenkins'])
  return isRecord(filled.chroots) ? { ...filled, chroots: fillIn(filled.chroots, Object.keys(filled.chroots)) } : filled
}

function fillIn(record: Record<string, unknown>, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, value === null && keys.includes(key) ? {} : value]),
  )
}

function requireMap(data: unknown, file: string): void {
  if (isRecord(data)) return
  const what = data === null ? 'the file is empty' : 'the file is no map of keys and values'
  throw configurationError(
    'CONFIG_INVALID',
    `${file}:1:1: ${what}`,
    `begin with "schema: 1", for example:\n\n${EXAMPLE}`,
  )
}

function refuseNewer(data: unknown, file: string): void {
  const version = isRecord(data) ? data.schema : undefined
  if (typeof version !== 'number' || version <= SCHEMA_VERSION) return
  throw configurationError(
    'CONFIG_TOO_NEW',
    `${file} is written for a newer treeswap (schema ${version}; this one reads ${SCHEMA_VERSION})`,
    'upgrade treeswap on this host, or write the file in the older format (`treeswap config schema`)',
  )
}

function explain(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path)
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `unknown key: ${didYouMean(key, known) || `there are ${known.join(', ')}`}`,
      at: 'key',
    }))
  }
  if (issue.code === 'invalid_union') {
    return [{ path: issue.path, message: issue.errors.flat().at(-1)?.message ?? issue.message }]
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return [{ path: issue.path, message: 'is missing', at: 'key' }]
  }
  return [{ path: issue.path, message: issue.message }]
}

/** Keys that the schema has for the map at `path`. */
function knownKeys(path: PropertyKey[]): string[] {
  let node: unknown = configJsonSchema()
  for (const segment of path) {
    if (!isRecord(node)) return []
    const properties = isRecord(node.properties) ? node.properties : {}
    node = properties[String(segment)] ?? node.items ?? node.additionalProperties
  }
  return isRecord(node) && isRecord(node.properties) ? Object.keys(node.properties) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(file: string, unsorted: string[]): Error {
  const faults = unsorted.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return configurationError(
    'CONFIG_INVALID',
    faults.length === 1
      ? (faults[0] ?? '')
      : `${file} has ${faults.length} faults:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    'mend the file; `treeswap config check` checks it, `treeswap config schema` prints its JSON Schema for editors',
  )
}
