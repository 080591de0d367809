import type { Build } from '../model/build.js'

/**
 * Makes an artifact directory in one step: `fill` gets OUTPUT.partial; then build.json is written, everything made
 * durable and renamed to OUTPUT. On an error nothing is left behind.
 * @throws ARTIFACT_EXISTS, DISK, what `fill` throws
 */
export function writeArtifact(_output: string, _fill: (directory: string) => Promise<Build>): Promise<Build> {
  throw new Error('not yet')
}
