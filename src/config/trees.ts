import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Config, MachineConfig } from './config.js'
import type { PacmanConfig } from './pacman.js'

/** What is built and published under one name. */
export type TreeConfig = { kind: 'machine'; machine: MachineConfig } | { kind: 'pacman-repo'; repo: PacmanConfig }

/**
 * The machine or pacman repo of a name.
 * @param tree undefined: the only one that there is
 * @throws TREE_UNKNOWN
 */
export function treeOf(config: Config, tree: string | undefined): TreeConfig {
  const all = treesOf(config)
  const [only, ...others] = all.values()
  const found = tree === undefined && others.length === 0 ? only : all.get(tree ?? '')
  if (found !== undefined) return found
  throw unknownTree(config, 'tree', tree, all.keys())
}

/** Every tree of a configuration, machines first. */
export function treesOf({ machines, pacman }: Config): Map<string, TreeConfig> {
  return new Map([
    ...[...machines.values()].map((machine): [string, TreeConfig] => [machine.name, { kind: 'machine', machine }]),
    ...[...pacman.values()].map((repo): [string, TreeConfig] => [repo.name, { kind: 'pacman-repo', repo }]),
  ])
}

/**
 * @param tree undefined: the only machine that there is
 * @throws TREE_UNKNOWN
 */
export function machineOf(config: Config, tree: string | undefined): MachineConfig {
  return one(config, 'machine', tree, config.machines)
}

/**
 * @param tree undefined: the only pacman repo that there is
 * @throws TREE_UNKNOWN
 */
export function pacmanRepoOf(config: Config, tree: string | undefined): PacmanConfig {
  return one(config, 'pacman repo', tree, config.pacman)
}

function one<T>(config: Config, kind: string, tree: string | undefined, known: ReadonlyMap<string, T>): T {
  const [only, ...others] = known.values()
  const found = tree === undefined && others.length === 0 ? only : known.get(tree ?? '')
  if (found !== undefined) return found
  throw unknownTree(config, kind, tree, known.keys())
}

function unknownTree({ file }: Config, kind: string, tree: string | undefined, known: Iterable<string>): Error {
  const names = [...known]
  return configurationError(
    'TREE_UNKNOWN',
    tree === undefined ? `no ${kind} is named` : `${file} has no ${kind} ${tree}`,
    didYouMean(tree ?? '', names) || `${file} has ${names.join(', ') || 'none'}`,
  )
}
