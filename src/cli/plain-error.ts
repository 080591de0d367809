import type { TreeswapError } from '../model/errors.js'

/** An error as --json prints it. */
export function plainError({ code, message, hint, category }: TreeswapError) {
  return { code, message, hint, category }
}
