import { configurationError } from '../model/errors.js'

/** What a client's configuration is made from. */
export interface Client {
  tree: string
  /** names of the ebuild repos; their priorities are Portage's defaults, as they were when the tree was built */
  repos: readonly string[]
  mainRepo: string
  /** base URLs of the publisher, without a slash at the end */
  rsync?: string
  http?: string
}

interface ClientFile {
  path: string
  content: string
}

interface ClientCommand {
  /** what it does, as an order */
  what: string
  argv: string[]
}

export interface ClientConfiguration {
  files: ClientFile[]
  /** the client's normal commands, in this order, at every update and after every rollback */
  commands: ClientCommand[]
}

/** What belongs to the client and not to the profile: where it syncs from, and what it trusts. */
const ownFiles = ['repos.conf', 'binrepos.conf', 'gnupg']

/**
 * Configuration and commands of a Gentoo machine that follows a tree (portage(5), emerge(1), rsync(1)).
 * @param destination the client's root directory
 * @throws PUBLISHER_URL
 */
export function portageConfiguration(client: Client, destination = '/'): ClientConfiguration {
  const { rsync, http } = client
  if (rsync === undefined || http === undefined) throw urlMissing(rsync === undefined ? 'rsync' : 'http')
  return {
    files: [
      { path: '/etc/portage/repos.conf/treeswap.conf', content: reposConf(client, rsync) },
      { path: '/etc/portage/binrepos.conf/treeswap.conf', content: binreposConf(client, http) },
    ],
    commands: [
      { what: 'fetch the ebuild repos', argv: ['emerge', '--sync'] },
      {
        what: `take over profile and world, keeping this machine's own ${ownFiles.join(', ')}`,
        argv: takeOver(client, rsync, destination),
      },
      {
        what: 'install, update or go back to what is published',
        argv: ['emerge', '--update', '--deep', '--newuse', '--getbinpkg', '--rebuilt-binaries=y', '@world'],
      },
      { what: 'remove what nothing needs any more', argv: ['emerge', '--depclean'] },
    ],
  }
}

/** The same as text to read and to copy from. */
export function describeClient({ files, commands }: ClientConfiguration): string {
  return [
    ...files.map(({ path, content }) => `### ${path}\n${content}`),
    ...commands.map(({ what, argv }) => `### ${what}\n${argv.map(quote).join(' ')}\n`),
  ].join('\n')
}

function reposConf({ tree, repos, mainRepo }: Client, rsync: string): string {
  const sections = repos.map(
    (name) => `[${name}]
location = /var/db/repos/${name}
sync-type = rsync
sync-uri = ${rsync}/repos/${tree}/${name}/
# the Manifests of a published repo are not signed by Gentoo as a whole
sync-rsync-verify-metamanifest = no
auto-sync = yes
`,
  )
  return [`[DEFAULT]\nmain-repo = ${mainRepo}\n`, ...sections].join('\n')
}

function binreposConf({ tree }: Client, http: string): string {
  return `[treeswap]
sync-uri = ${http}/binpkgs/${tree}/
location = /var/cache/binhost/treeswap
priority = 9999
# The packages are not signed: whoever can change what this URL gives can change what is installed.
# Use https, or a network that you trust.
verify-signature = false
`
}

/**
 * One connection, so that all of it comes from one generation. \`/./\` is where the client's paths begin; no directory
 * above them is touched. Only etc/portage is sent as a whole, so deletion stays inside it.
 */
function takeOver({ tree }: Client, rsync: string, destination: string): string[] {
  const top = `${rsync}/profiles/${tree}/.profile/.`
  return [
    'rsync',
    '--recursive',
    '--links',
    '--perms',
    '--times',
    '--relative',
    '--no-implied-dirs',
    '--delete-delay',
    '--delay-updates',
    ...ownFiles.map((name) => `--exclude=/etc/portage/${name}`),
    `${top}/etc/portage/`,
    `${top}/var/lib/portage/world`,
    `${top}/var/lib/portage/world_sets`,
    destination,
  ]
}

/** One word of a POSIX shell's command line. */
function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function urlMissing(key: 'rsync' | 'http'): Error {
  return configurationError(
    'PUBLISHER_URL',
    `the configuration does not say under which URL clients reach this publisher by ${key}`,
    `set publisher.${key}, for example ${key}://pkgs.example.org`,
  )
}
