import * as z from 'zod'
import type { Skipped } from '../agent/attempt.js'
import { fileMemory } from '../agent/memory.js'
import type { Memory } from '../agent/memory.js'
import type { Input } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'

/** What stands in the way and can be mended without a change of the inputs; found before anything is compiled. */
const outside = /^(CHROOT_.*|ARTIFACT_EXISTS)$/

const failedBuild = z.object({ inputs: z.string(), code: z.string() })
type FailedBuild = z.infer<typeof failedBuild>

/** Builds that would fail again: of the same inputs, for a reason that lies in them. */
export class FailedBuilds {
  /** @param failed default: as long as the process */
  constructor(private readonly failed: Memory<FailedBuild> = new Map<string, FailedBuild>()) {}

  /**
   * Kept in files, for runs one after the other.
   * @param recalls whether what failed in earlier processes counts
   */
  static kept(directory: string, recalls: boolean): FailedBuilds {
    return new FailedBuilds(fileMemory(directory, failedBuild, recalls))
  }

  /** Does a build and remembers how it ended. */
  async trying<T>(name: string, inputs: readonly Input[], action: () => Promise<T>): Promise<T> {
    try {
      const result = await action()
      this.failed.delete(name)
      return result
    } catch (error) {
      this.failed.delete(name)
      if (error instanceof TreeswapError && willRepeat(error)) {
        this.failed.set(name, { inputs: digest(inputs), code: error.code })
      }
      throw error
    }
  }

  /** Why a build of these inputs need not be tried; undefined where it may succeed. */
  refuse(name: string, inputs: readonly Input[]): Skipped | undefined {
    const before = this.failed.get(name)
    if (before?.inputs !== digest(inputs)) return undefined
    return { name, status: 'skipped', reason: `nothing has changed since it failed (${before.code})` }
  }
}

/**
 * Whether a build would fail with this again as long as its inputs are the same. Of what it throws, a refused archive
 * is of category publish: its content would be refused again.
 */
export function willRepeat({ category, code }: TreeswapError): boolean {
  return category !== 'infrastructure' && category !== 'aborted' && !outside.test(code)
}

function digest(inputs: readonly Input[]): string {
  return JSON.stringify(inputs.map(({ name, fingerprint }) => [name, fingerprint]))
}
