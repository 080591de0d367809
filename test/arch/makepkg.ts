import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `nobody` of Debian: makepkg refuses to run as root. */
const NOBODY = 65534

/**
 * Builds packages with the real makepkg, on this host and without looking at dependencies: for recipes of our own.
 * @param directory for this recipe alone; others must be able to enter it
 * @param files the recipe: PKGBUILD, and what it names
 * @returns paths of the packages, sorted
 */
export function makepkg(
  directory: string,
  files: Record<string, string>,
  { ending = '.pkg.tar.zst', options = [] as string[] } = {},
): string[] {
  const packages = join(directory, 'packages')
  const recipe = join(directory, 'recipe')
  for (const path of [directory, packages, recipe]) {
    mkdirSync(path, { recursive: true })
    if (isRoot()) chownSync(path, NOBODY, NOBODY)
  }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(recipe, name), content)
    chmodSync(join(recipe, name), 0o644)
  }
  const env = [
    `HOME=${recipe}`,
    `PATH=${process.env.PATH}`,
    'LC_ALL=C.UTF-8',
    `PKGDEST=${packages}`,
    `SRCDEST=${recipe}`,
    `PKGEXT=${ending}`,
    'PACKAGER=Täster <taster@example.org>',
    'SOURCE_DATE_EPOCH=1700000000',
  ]
  const become = isRoot() ? ['runuser', '-u', 'nobody', '--'] : []
  const [program, ...args] = [
    ...become,
    'env',
    '-i',
    ...env,
    'makepkg',
    '--force',
    '--nodeps',
    '--noconfirm',
    ...options,
  ]
  execFileSync(program!, args, { cwd: recipe, stdio: ['ignore', 'ignore', 'pipe'] })
  return readdirSync(packages)
    .sort()
    .map((name) => join(packages, name))
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
