import { itemKind } from '../model/build.js'
import type { Build } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import type { ArtifactSource, Item } from './source.js'

export const NUMBER = /^[1-9][0-9]{0,9}$/
const FILE = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/

/** @throws NUMBER_INVALID */
export function validNumber(number: number): number {
  if (Number.isSafeInteger(number) && NUMBER.test(String(number))) return number
  throw configurationError('NUMBER_INVALID', `${number} cannot be the number of a build`, 'use 1, 2, 3, …')
}

/** The name of a file beside build.json. @throws NAME_INVALID */
export function artifactFile(file: string): string {
  if (FILE.test(file)) return file
  throw configurationError(
    'NAME_INVALID',
    `${JSON.stringify(file)} cannot be a file of an artifact`,
    'the build record was not written by treeswap: build again',
  )
}

/** @param path of the record, for messages; @throws BUILD_MISPLACED where it speaks of another build */
export function checkPlace(build: Build, { kind, name }: Item, number: number, path: string): Build {
  if (itemKind(build) === kind && build.name === name && build.number === number) return build
  throw configurationError(
    'BUILD_MISPLACED',
    `${path} says that it is build ${build.number} of the ${build.kind} ${build.name}`,
    itemKind(build) === kind
      ? `an artifact must lie where its name and number say: ${name}/${number} is another one`
      : MISPLACED_KIND[kind],
  )
}

/** What to do where something of another kind was found. */
const MISPLACED_KIND: Record<Item['kind'], string> = {
  tree: 'name the job, or directory, of a machine or pacman repo: builds of machines bring their ebuild repos along',
  'ebuild-repo': 'name the job, or directory, of an ebuild repo (repos/NAME)',
}

/** @param number undefined: the latest was meant */
export function buildMissing(
  source: ArtifactSource,
  { kind, name }: Item,
  number: number | undefined,
  there: readonly number[],
): Error {
  const what = kind === 'tree' ? name : `the ebuild repo ${name}`
  return configurationError(
    'BUILD_MISSING',
    `${source.description} has no build ${number === undefined ? '' : `${number} `}of ${what}`,
    there.length === 0
      ? 'it has no build under that name at all: see that source and name are right'
      : `it has the builds ${there.slice(-20).join(', ')}`,
  )
}
