import type { RecipeRecord } from '../model/recipes.js'

/** What is known of one recipe when it is decided whether to build it. */
export interface Situation {
  fingerprint: string
  /** undefined: the base build does not know it */
  record: RecipeRecord | undefined
  asked: boolean
  /** sonames its packages need that the root no longer has */
  missing: readonly string[]
  /** packages of this tree that it is built with, sorted */
  uses: readonly string[]
}

/** What is known of the tree. */
export interface Surroundings {
  /** pkgname → version that the base build has */
  versions: ReadonlyMap<string, string>
  /** whether the tree goes on having a package */
  has: (name: string) => boolean
  /** whether a package will be built anew */
  isBuilt: (name: string) => boolean
}

export interface Reasons {
  /** that hold whatever becomes of the packages it is built with */
  own: string[]
  /** that hold only if those get another version */
  following: string[]
}

const lastTime = {
  built: 'its recipe or its sources have changed',
  kept: 'its recipe or its sources have changed',
  failed: 'its build failed last time',
  skipped: 'it was skipped last time',
  held: 'it was held back last time',
}

/** Why a recipe is to be built, to be read by people; none: its packages stay. */
export function reasonsFor(situation: Situation, surroundings: Surroundings): Reasons {
  const { record, asked, missing, fingerprint } = situation
  if (record === undefined) return { own: ['it is new'], following: [] }
  const own: string[] = []
  if (record.packages.length === 0)
    own.push(`it was never built${record.status === 'failed' ? ': its build failed' : ''}`)
  else if (record.fingerprint !== fingerprint) own.push(lastTime[record.status])
  if (asked) own.push('it was asked for')
  if (missing.length > 0) own.push(`the root no longer has ${missing.join(', ')}`)
  const { changed, following } = changes(situation.uses, record, surroundings)
  return { own: [...own, ...changed], following }
}

function changes(uses: readonly string[], { dependencies }: RecipeRecord, tree: Surroundings) {
  const following = uses.filter((name) => tree.isBuilt(name)).map((name) => `${name} will be built`)
  const changed = uses
    .filter((name) => !tree.isBuilt(name))
    .flatMap((name) => {
      const [now, then] = [tree.versions.get(name), dependencies.get(name)]
      if (now === then) return []
      return [
        then === undefined ? `it was not built with ${name} of this tree` : `${name} is ${now ?? 'gone'}, was ${then}`,
      ]
    })
  const gone = [...dependencies.keys()].filter((name) => !tree.has(name)).sort()
  return { following, changed: [...changed, ...gone.map((name) => `${name} is no longer in this tree`)] }
}
