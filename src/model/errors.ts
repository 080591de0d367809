/** What kind of trouble it is; decides the exit code and whether a retry can help. */
export type Category = 'configuration' | 'infrastructure' | 'build' | 'publish' | 'aborted'

/** Exit codes of every command. A CI server tells "mend the input" from "try again" by them. */
export const exitCodes: Record<Category, number> = {
  configuration: 10,
  infrastructure: 11,
  build: 12,
  publish: 13,
  aborted: 130,
}

export interface ErrorDetails {
  category: Category
  /** What to do about it, as an order to the reader. */
  hint: string
  cause?: unknown
}

/** Every error a user can meet: a stable code, what happened to what, and what to do. */
export class TreeswapError extends Error {
  override readonly name = 'TreeswapError'
  readonly category: Category
  readonly hint: string

  constructor(
    readonly code: string,
    message: string,
    { category, hint, cause }: ErrorDetails,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.category = category
    this.hint = hint
  }
}

/** The user's input (configuration, arguments, a repository's content) has to be mended. */
export function configurationError(code: string, message: string, hint: string, cause?: unknown): TreeswapError {
  return new TreeswapError(code, message, { category: 'configuration', hint, cause })
}

/** The host, a disk, a network or another program failed; trying again may help. */
export function infrastructureError(code: string, message: string, hint: string, cause?: unknown): TreeswapError {
  return new TreeswapError(code, message, { category: 'infrastructure', hint, cause })
}

/** What was to be built did not build. */
export function buildError(code: string, message: string, hint: string, cause?: unknown): TreeswapError {
  return new TreeswapError(code, message, { category: 'build', hint, cause })
}

/** A build could not be taken into the store or published. */
export function publishError(code: string, message: string, hint: string, cause?: unknown): TreeswapError {
  return new TreeswapError(code, message, { category: 'publish', hint, cause })
}
