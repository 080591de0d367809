import { infrastructureError, TreeswapError } from '../model/errors.js'
import { errorCode, explainDiskError } from '../system/files.js'

/** A coded error for whatever a command threw. */
export function explainError(caught: unknown): TreeswapError {
  const explained = explainDiskError(caught, pathOf(caught) ?? 'a file')
  if (explained instanceof TreeswapError) return explained
  const code = errorCode(caught)
  const message = caught instanceof Error ? caught.message : String(caught)
  if (code === 'EACCES' || code === 'EPERM') {
    return infrastructureError(
      'PERMISSION',
      message,
      'run the command as the user who owns that path; building needs root',
      caught,
    )
  }
  return infrastructureError(
    'INTERNAL',
    `something happened that treeswap does not know: ${message}`,
    'please report it, with what TREESWAP_DEBUG=1 in the environment adds to this',
    caught,
  )
}

function pathOf(error: unknown): string | undefined {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined
}
