import { configurationError } from '../model/errors.js'
import { isPackageName } from '../model/pacman-package.js'

/**
 * The package names of a list file: one a line, `#` begins a comment, what follows `:` is a remark; order and repetition
 * mean nothing.
 * @param source named in errors
 * @throws LIST_EMPTY, LIST_INVALID with the line
 */
export function parseRecipeList(text: string, source: string): string[] {
  const names = new Set<string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const name = line.replace(/[#:].*$/, '').trim()
    if (name === '') continue
    if (!isPackageName(name)) {
      throw configurationError(
        'LIST_INVALID',
        `line ${index + 1} of ${source} is no name of a package: ${JSON.stringify(name.slice(0, 100))}`,
        'write one name a line; "#" begins a comment',
      )
    }
    names.add(name)
  }
  if (names.size > 0) return [...names].sort()
  throw configurationError(
    'LIST_EMPTY',
    `${source} names no package`,
    'all its packages would vanish, so it is refused: to do without the list, take it out of the configuration',
  )
}
