import { infrastructureError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'

/** What readers of artifacts say of one that is no longer what it was; a source that does not answer is none of it. */
const codes = new Set([
  'ARCHIVE_REFUSED',
  'BUILD_INVALID',
  'BUILD_MISSING',
  'FILE_MISSING',
  'MANIFEST_INVALID',
  'PACK_CONTRADICTORY',
  'PACK_DAMAGED',
  'RECIPES_INVALID',
  'RECIPES_MISSING',
])

export function isDamage(error: unknown): error is TreeswapError {
  return error instanceof TreeswapError && codes.has(error.code)
}

/** Reads what earlier builds say, and goes on without what is damaged where everything is built anew anyway. */
export class DamagedBase {
  private readonly found = new Set<string>()

  /** @param isAllAsked whether every recipe is to be built in any case */
  constructor(
    private readonly tree: string,
    private readonly isAllAsked: boolean,
    private readonly context: Context,
  ) {}

  /** Whether something was damaged: later builds must name nothing of it. */
  get isDamaged(): boolean {
    return this.found.size > 0
  }

  /**
   * @param what is read: a phrase
   * @param otherwise what is gone on with where everything is built anew
   * @throws BASE_DAMAGED, and what `read` throws for another reason
   */
  async orElse<T>(what: string, read: () => Promise<T>, otherwise: () => T): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (!isDamage(error)) throw error
      if (!this.isAllAsked) throw this.damaged(what, error)
      this.note(what, error)
      return otherwise()
    }
  }

  /** To be called where it is known by other means that the rest is enough. */
  note(what: string, { message }: TreeswapError): void {
    this.found.add(what)
    this.context.report.warn(`${what} cannot be used, and this build goes on without: ${message}`)
  }

  damaged(what: string, cause: TreeswapError): TreeswapError {
    return infrastructureError(
      'BASE_DAMAGED',
      `${what} cannot be used: ${cause.message}`,
      `put the artifact back as it was; where it is lost, build everything anew: \`treeswap run ${this.tree} --rebuild all\``,
      cause,
    )
  }

  /** What nothing is known without. @throws BASE_DAMAGED */
  async required<T>(what: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (!isDamage(error)) throw error
      throw infrastructureError(
        'BASE_DAMAGED',
        `${what} cannot be used: ${error.message}`,
        `put the artifact back as it was; where it is lost, remove that build from the source of artifacts: the one before it is gone on from then, with \`treeswap run ${this.tree} --rebuild all\` where that names packages of the lost one`,
        error,
      )
    }
  }
}
