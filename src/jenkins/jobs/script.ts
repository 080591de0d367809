import type { MachineConfig, RepoConfig } from '../../config/config.js'
import type { PacmanConfig } from '../../config/pacman.js'
import type { JobsConfig } from './model.js'
import type { SigningCredentials } from './signing-credentials.js'

type Value = string | number | boolean | Value[] | { [key: string]: Value | undefined }
type Arguments = Record<string, Value | undefined>

/**
 * The pipeline of a generated job: it loads the shared library and calls one step (vars/). It says itself what must be
 * known before the configuration is read; all else the step takes from there.
 */
export function repoScript({ name }: RepoConfig, jenkins: JobsConfig): string {
  return pipeline(jenkins, step('treeswapRepo', { repo: name, agent: jenkins.agent, ...common(jenkins) }))
}

export function machineScript(
  { name, repos, publish }: MachineConfig,
  jenkins: JobsConfig,
  signing: SigningCredentials | undefined,
): string {
  return pipeline(
    jenkins,
    step('treeswapMachine', {
      machine: name,
      repos,
      agent: jenkins.agent,
      ...(publish ? { ...publisher(jenkins), ...signing } : { publish: false }),
      ...common(jenkins),
    }),
  )
}

export function packagesScript(
  { name, publish }: PacmanConfig,
  jenkins: JobsConfig,
  signing: SigningCredentials | undefined,
): string {
  const then = publish ? { ...publisher(jenkins), ...signing } : { publish: false }
  return pipeline(jenkins, step('treeswapPackages', { repo: name, agent: jenkins.agent, ...then, ...common(jenkins) }))
}

export function pollScript({ name }: PacmanConfig, jenkins: JobsConfig): string {
  return pipeline(jenkins, step('treeswapPoll', { repo: name, agent: jenkins.agent, ...common(jenkins) }))
}

export function publishScript(jenkins: JobsConfig, signing: ReadonlyMap<string, SigningCredentials>): string {
  // over SSH any agent will do, and the publisher's host need not be one
  const agent = jenkins.publishOver === undefined ? undefined : jenkins.agent
  const options = { agent, ...publisher(jenkins), ...common(jenkins) }
  const first = ['tree: params.TREE', 'reference: params.REFERENCE', ...byTree(signing)].join(', ')
  const call = (name: string): string => step(name, options, first)
  return pipeline(
    jenkins,
    `if (params.ACTION == 'rollback') {\n  ${call('treeswapRollback')}\n} else {\n  ${call('treeswapPublish')}\n}`,
  )
}

/** Options whose value depends on the tree that the operator chose. */
function byTree(signing: ReadonlyMap<string, SigningCredentials>): string[] {
  return (['signing', 'passphrase'] as const).flatMap((option) => {
    const ids = [...signing].flatMap(([tree, ids]) => (ids[option] === undefined ? [] : [[tree, ids[option]] as const]))
    const map = ids.map(([tree, id]) => `${groovy(tree)}: ${groovy(id)}`).join(', ')
    return map === '' ? [] : [`${option}: [${map}].get(params.TREE)`]
  })
}

function pipeline({ library }: JobsConfig, body: string): string {
  return `@Library(${groovy(library)}) _\n${body}\n`
}

function common({ credentials, timeoutSeconds, config }: JobsConfig): Arguments {
  return { credentials, timeout: Math.ceil(timeoutSeconds / 60), config: { ...config } }
}

function publisher({ publisher, publishOver }: JobsConfig): Arguments {
  return publishOver === undefined ? { publisher } : { publishOver: { ...publishOver } }
}

/** @param first arguments that are Groovy already */
function step(name: string, options: Arguments, first?: string): string {
  return `${name} ${[...(first === undefined ? [] : [first]), entries(options)].join(', ')}`
}

function entries(map: Arguments): string {
  return Object.entries(map)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${groovy(value)}`]))
    .join(', ')
}

/** A Groovy literal; strings single-quoted, in which nothing is interpolated. */
function groovy(value: Value): string {
  if (typeof value === 'string')
    return `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}'`
  if (Array.isArray(value)) return `[${value.map(groovy).join(', ')}]`
  return typeof value === 'object' ? `[${entries(value)}]` : String(value)
}
