import { configurationError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'

/** The command line itself is wrong. */
export function usageError(message: string, hint: string): TreeswapError {
  return configurationError('USAGE', message, hint)
}
