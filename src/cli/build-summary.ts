import type { Build } from '../model/build.js'

/** What a list says of a build; part of the --json documents. */
export function buildSummary(build: Build) {
  return {
    tree: build.name,
    number: build.number,
    started: build.started,
    finished: build.finished,
    /** null: all packages were packed */
    base: build.base ?? null,
    /** of the artifact's packs */
    bytes: build.packs.reduce((sum, { size }) => sum + size, 0),
  }
}
