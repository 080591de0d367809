import * as z from 'zod'
import { duration, size } from '../model/quantities.js'
import { branch, checked, describe, gitUrl, path, pathInRepository, positive } from './fields.js'
import { credentialsId, jenkins, schedule } from './jenkins-schema.js'
import { key } from './keys.js'
import { pacmanRepo } from './pacman-schema.js'
import { upload } from './uploads.js'
import { baseUrlProblem } from './urls.js'

export const SCHEMA_VERSION = 1

/** one argument of emerge(1) */
const argument = z.string().regex(/^[^\s\p{Cc}]+$/u, 'write one argument, without spaces')
const atom = argument.regex(/^[^-]/, 'a package or a set is meant here, not an option')

const poll = describe(duration.default(900), 'How often `treeswap run --watch` looks for new commits. Default: 15m.')

const publisher = z
  .strictObject({
    root: describe(
      path.default('/srv/treeswap'),
      "The publisher's directory: objects, builds and what is served, on one file system. Default: /srv/treeswap.",
    ),
    rsync: describe(
      checked((url) => baseUrlProblem(url, ['rsync'])).optional(),
      'Base URL under which clients reach the rsync daemon, e.g. rsync://pkgs.example.org. Needed by `config portage`.',
    ),
    http: describe(
      checked((url) => baseUrlProblem(url, ['http', 'https'])).optional(),
      'Base URL under which clients reach the web server. Needed by `config portage`; makes an index name its generation.',
    ),
    grace: describe(
      duration.default(86_400),
      'How long a generation stays reachable after it was replaced, for clients in flight. Default: 1d.',
    ),
  })
  .describe('Where builds are kept and served from.')

/** Where the administrator installs the program that does what needs root. */
export const ROOT_PROGRAM = '/usr/local/sbin/treeswap-root'

const ABSOLUTE = 'write an absolute path'
const programPath = z.string().regex(/^\/[^\0]*$/, ABSOLUTE)

const builder = z
  .strictObject({
    directory: describe(
      path.default('/var/lib/treeswap'),
      'Holds chroots, git clones, caches, distfiles and work in progress. Default: /var/lib/treeswap.',
    ),
    artifacts: describe(
      z
        .string()
        .regex(/^dir:./, 'write dir:PATH')
        .optional(),
      'Where builds are archived, dir:PATH. Default: artifacts in the directory of the builder.',
    ),
    'root-program': describe(
      z
        .union([
          programPath.transform((one) => [one]),
          z
            .array(z.string())
            .min(1)
            .refine(([program]) => program?.startsWith('/'), ABSOLUTE),
        ])
        .default([ROOT_PROGRAM]),
      'What does the work that needs root, called through sudo, where builds are not run by root: a path, or a list of ' +
        'path and arguments. Default: /usr/local/sbin/treeswap-root.',
    ),
    'full-every': describe(
      z.int().min(1).max(1000).default(10),
      'Every how many builds all packages are packed again instead of naming those of an earlier build. Default: 10.',
    ),
  })
  .describe('What `treeswap run` works with.')

const chroot = z
  .strictObject({
    from: describe(
      path.optional(),
      'Tarball (stage3 shape) or directory from which the root is made on first use. Default: made by `treeswap chroot create`.',
    ),
  })
  .describe('A root in which builds run.')

const repo = z
  .strictObject({
    url: gitUrl.describe('Git URL or path, without credentials.'),
    branch,
    poll,
    schedule: describe(
      schedule.optional(),
      'When its Jenkins job polls, in cron\'s form. Default: "H H/6 * * *" for a main ebuild repo, else "H/15 * * * *".',
    ),
    credentials: credentialsId
      .optional()
      .describe('Jenkins id of the credentials with which jobs read it. Default: none.'),
    chroot: describe(
      z.string().optional(),
      'Root in which metadata/md5-cache is generated where the repo has none. Default: that of the first machine using it.',
    ),
  })
  .describe('An ebuild repo.')

const profile = z
  .strictObject({
    url: gitUrl.describe('Git URL or path, without credentials.'),
    branch,
    credentials: credentialsId
      .optional()
      .describe('Jenkins id of the credentials with which jobs read it. Default: none.'),
    path: describe(
      pathInRepository.optional(),
      "Directory of this machine in the repository, where one repository holds several. Default: the repository's top.",
    ),
  })
  .describe('Git repository with /etc/portage and the world file of the machine.')

const limits = z
  .strictObject({
    memory: describe(size.refine(positive, 'must not be 0').optional(), 'Memory, e.g. 8G. Default: no limit.'),
    processes: describe(z.int().min(16).default(4096), 'Number of processes and threads. Default: 4096.'),
    time: describe(duration.refine(positive, 'must not be 0').default(43_200), 'Time of one build. Default: 12h.'),
  })
  .describe('What one build may use.')

const machine = z
  .strictObject({
    profile,
    repos: z
      .array(z.string())
      .min(1, 'a machine needs at least one ebuild repo')
      .describe('Names of its ebuild repos. The one called gentoo, or else the first, is its main repo.'),
    chroot: describe(
      z.string().optional(),
      "Root in which it is built; each machine has one of its own. Default: the machine's name.",
    ),
    target: describe(
      z
        .union([atom.transform((one) => [one]), z.array(atom).min(1, 'at least one target is needed')])
        .default(['@world']),
      'What emerge builds: a set or atom, or a list of them. Default: @world.',
    ),
    emerge: describe(
      z.array(argument).default(['--update', '--deep', '--newuse']),
      'Options of emerge. Default: --update, --deep, --newuse.',
    ),
    after: describe(
      z.array(argument).default(['@preserved-rebuild', '--depclean']),
      'What emerge runs after the update, one run each. Default: @preserved-rebuild, --depclean.',
    ),
    network: describe(
      z.boolean().default(false),
      'Whether ebuilds may use the network while they build; sources are fetched before. Default: false.',
    ),
    unpackaged: describe(
      z.enum(['quickpkg', 'rebuild']).default('quickpkg'),
      'How packages of the root that have no binary package get one: packed as installed, or built. Default: quickpkg.',
    ),
    limits: limits.prefault({}),
    poll,
    schedule: describe(
      schedule.default('H/15 * * * *'),
      'When its Jenkins job polls the profile, in cron\'s form. Default: "H/15 * * * *".',
    ),
    sign: describe(z.string().optional(), 'Key that signs binary packages. Default: nothing is signed.'),
    publish: describe(z.boolean().default(true), 'Whether its Jenkins job publishes what it has built. Default: true.'),
  })
  .describe('A Gentoo machine type: one tree is published under its name.')

/** `treeswap.yaml`, as it is written. */
export const schema = z
  .strictObject({
    schema: z
      .literal(SCHEMA_VERSION, {
        error: ({ input }) => `${input === undefined ? 'is missing: begin the file with' : 'write'} "schema: 1"`,
      })
      .describe('Version of this format: 1.'),
    publisher: publisher.prefault({}),
    builder: builder.prefault({}),
    chroots: describe(
      z.record(z.string(), chroot).default({}),
      'Roots by name. Where this section is given it names every root that is used.',
    ),
    repos: describe(z.record(z.string(), repo).default({}), 'Ebuild repos by name (profiles/repo_name).'),
    machines: describe(z.record(z.string(), machine).default({}), 'Machines by name.'),
    pacman: describe(z.record(z.string(), pacmanRepo).default({}), 'Arch package repositories by name.'),
    keys: describe(z.record(z.string(), key).default({}), 'OpenPGP keys by name.'),
    uploads: describe(z.record(z.string(), upload).default({}), 'Web hosts by name.'),
    jenkins: jenkins.optional(),
  })
  .describe('treeswap.yaml')

export type Written = z.infer<typeof schema>

/** JSON Schema of `treeswap.yaml`, for editors and for the reference. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
}
