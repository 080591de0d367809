import type { RootService } from '../chroot/requests.js'
import type { Context } from '../model/report.js'
import { openRecipe } from './makepkg.js'

/** A PKGBUILD that is only read runs no longer than this. */
const LIMITS = { processes: 512, seconds: 120, disk: 2 ** 30 }

/**
 * The text of `.SRCINFO` of a recipe, by makepkg in a container of its own without network: a PKGBUILD is a program.
 * @param recipe directory with PKGBUILD
 * @throws RECIPE_INVALID, and what a scratch session throws
 */
export async function srcinfoOf(
  recipe: string,
  chroot: string,
  service: RootService,
  context: Context,
): Promise<string> {
  return await service.scratch(chroot, context, async (session) => {
    const build = {
      session,
      directories: { recipe },
      packager: '',
      sourceDate: 0,
      limits: LIMITS,
      deadline: undefined,
      record: () => undefined,
    }
    return await openRecipe(build)
  })
}
