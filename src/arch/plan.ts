import type { Recipes } from '../model/recipes.js'
import type { Srcinfo } from './srcinfo.js'

/** A recipe as it is now. */
export interface PlannedRecipe {
  srcinfo: Srcinfo
  /** digest of its files, its options and the heads of its VCS sources: hex */
  fingerprint: string
  /** URL of its source, as in the configuration */
  source: string
}

export interface PlanRequest {
  recipes: readonly PlannedRecipe[]
  /** of the base build */
  before: Pick<Recipes, 'recipes' | 'root'> | undefined
  /** pkgbase of those to be built in any case */
  asked: ReadonlySet<string>
  /** pkgbase → sonames its packages need that the root no longer has */
  missing: ReadonlyMap<string, readonly string[]>
  /** pkgname → URL of the source it is taken from where several have it */
  prefer: ReadonlyMap<string, string>
}

export interface PlanStep {
  base: string
  action: 'build' | 'keep'
  /** reasons to build it, to be read by people: each one a phrase that goes on from "will be built: " */
  why: string[]
  /** only because of what it is built with: see stillNeeded */
  follows: boolean
  /** pkgbase of those in this tree that have to be built before, also what their packages need when installed; sorted */
  needs: string[]
  /** packages of this tree that it is built with, sorted; their versions go into its record's `dependencies` */
  uses: string[]
  /** pkgbase of those in this tree that its packages need when installed, though it can be built without; sorted */
  wants: string[]
  /** versions of packages of this tree that the packages there are were built with */
  builtWith: ReadonlyMap<string, string>
  /** highest version that the tree has of any of its packages: what a new one has to rise above */
  previous: string | undefined
}

export interface RecipePlan {
  /** every recipe once, each after what it needs */
  steps: PlanStep[]
  /** pkgbase of those in the base build that are gone, sorted */
  removed: string[]
  /** recipes left out because all their packages are taken from other sources */
  replaced: { base: string; source: string }[]
  /** dependencies that no recipe of this tree provides, as written → pkgbase of those that want them */
  unresolved: ReadonlyMap<string, string[]>
}
