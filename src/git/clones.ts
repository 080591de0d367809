/** Where checkouts of recipes are kept; the caller holds a lock on it. */
export interface Clones {
  directory: string
  /** names of those in it that were asked for */
  used: Set<string>
}
