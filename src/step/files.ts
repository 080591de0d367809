import type { Build } from '../model/build.js'

/** Where a step leaves what its job archives, in the workspace. */
export const ARTIFACT = 'artifact'
export const REPORT = 'report'

/** Bytes of a build's packs: what travels. */
export function packedIn({ packs }: Build): number {
  return packs.reduce((sum, { size }) => sum + size, 0)
}
