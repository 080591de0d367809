import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Config, MachineConfig } from './config.js'

/**
 * The machine of which a tree is published.
 * @param tree undefined: the only one that there is
 * @throws TREE_UNKNOWN
 */
export function machineOf({ file, machines }: Config, tree: string | undefined): MachineConfig {
  const [only, ...others] = machines.values()
  const machine = tree === undefined && others.length === 0 ? only : machines.get(tree ?? '')
  if (machine !== undefined) return machine
  throw configurationError(
    'TREE_UNKNOWN',
    tree === undefined ? 'no machine is named' : `${file} has no machine ${tree}`,
    didYouMean(tree ?? '', machines.keys()) || `${file} has ${[...machines.keys()].join(', ') || 'none'}`,
  )
}
