import * as z from 'zod'
import { isPackageName } from '../model/pacman-package.js'
import { duration, size } from '../model/quantities.js'
import { branch, checked, describe, gitUrl, pathInRepository, positive } from './fields.js'
import { schedule } from './jenkins-schema.js'
import { serverUrlProblem } from './urls.js'

const packageName = z
  .string()
  .refine(isPackageName, 'write the name of a package: letters, digits and @ . _ + -, not beginning with . or -')

const git = {
  url: gitUrl.describe('Git URL or path, without credentials.'),
  branch,
  poll: describe(duration.default(900), 'How often `treeswap run --watch` looks for news in it. Default: 15m.'),
  schedule: describe(
    schedule.default('H/15 * * * *'),
    'When Jenkins polls it, in cron\'s form. Default: "H/15 * * * *".',
  ),
}

const repository = z
  .strictObject({
    ...git,
    recipes: describe(
      pathInRepository.default('*'),
      'Glob of the directories that hold a PKGBUILD. Default: *, every directory at its top that has one.',
    ),
  })
  .describe('A git repository with many recipes.')

const program = z
  .strictObject({
    ...git,
    path: describe(pathInRepository.default('.'), "Directory of the recipe in it. Default: the repository's top."),
    tags: describe(
      z
        .string()
        .regex(/^[^*\s\p{Cc}~^:?[\\]*\*[^*\s\p{Cc}~^:?[\\]*$/u, 'write a pattern with one "*", as "v*"')
        .optional(),
      'Release tags: the newest one is built, and what "*" stands for is its pkgver. Default: the branch is followed.',
    ),
  })
  .describe('The git repository of a program that carries its own recipe.')

const list = z
  .strictObject({
    ...git,
    file: pathInRepository.describe('The list in it: a name a line; "#" begins a comment, ":" a remark.'),
    base: describe(
      z.union([gitUrl, checked(serverUrlProblem)]).default('https://aur.archlinux.org'),
      'Where the recipe of NAME lies: BASE/NAME.git. Default: https://aur.archlinux.org.',
    ),
  })
  .describe('A list of AUR packages in a git repository.')

const limits = z
  .strictObject({
    memory: describe(size.refine(positive, 'must not be 0').optional(), 'Memory, e.g. 8G. Default: no limit.'),
    processes: describe(z.int().min(16).default(4096), 'Number of processes and threads. Default: 4096.'),
    disk: describe(
      size.refine(positive, 'must not be 0').default(100 * 2 ** 30),
      'Disk space of all its files, with its sources and packages, e.g. 20G. Default: 100G.',
    ),
    time: describe(duration.refine(positive, 'must not be 0').default(14_400), 'Time of one recipe. Default: 4h.'),
  })
  .describe('What the build of one recipe may use.')

/** Names of sections elsewhere in the file. */
const reference = z.string()

export const pacmanRepo = z
  .strictObject({
    architecture: describe(
      z.string().regex(/^[a-z0-9_]{1,20}$/, 'write an architecture as pacman names it: x86_64'),
      'Architecture of its packages. Default: x86_64.',
    ).default('x86_64'),
    chroot: describe(z.string().optional(), "Pristine root in which recipes are built. Default: the repo's name."),
    repositories: describe(z.array(repository).default([]), 'Repositories with many recipes each.'),
    programs: describe(z.array(program).default([]), 'Repositories of programs that carry their own recipe.'),
    lists: describe(z.array(list).default([]), 'Lists of AUR packages.'),
    prefer: describe(
      z.record(packageName, gitUrl).default({}),
      'Which source a package comes from where several have it: package name → Git URL of the source.',
    ),
    network: describe(
      z.array(packageName).default([]),
      'Recipes (pkgbase) that may use the network in build(), check() and package(). Default: none.',
    ),
    packager: describe(
      z
        .string()
        .regex(/^[^\p{Cc}<>]+ <[^\p{Cc}<>\s]+@[^\p{Cc}<>\s]+>$/u, 'write it as "Name <mail@example.org>"')
        .optional(),
      'Packager that packages name. Default: treeswap.',
    ),
    parallel: describe(z.int().min(1).max(64).default(2), 'Recipes built at a time. Default: 2.'),
    debug: describe(
      z.boolean().default(false),
      'Whether debug packages are kept, in a database of their own, NAME-debug. Default: false.',
    ),
    limits: limits.prefault({}),
    sign: describe(reference.optional(), 'Key that signs packages and database. Default: nothing is signed.'),
    trust: describe(z.array(reference).optional(), 'Keys that clients trust. Default: the one that signs.'),
    revoke: describe(z.array(reference).default([]), 'Keys that clients trust no longer.'),
    upload: describe(z.array(reference).default([]), 'Hosts to which each publish is uploaded. Default: none.'),
    publish: describe(z.boolean().default(true), 'Whether its Jenkins job publishes what it has built. Default: true.'),
  })
  .refine((repo) => repo.repositories.length + repo.programs.length + repo.lists.length > 0, {
    error: 'it needs a source of recipes: repositories, programs or lists',
  })
  .describe('An Arch package repository: one tree is published under its name.')
