import { configurationError } from '../model/errors.js'
import { groupBy } from '../model/group-by.js'

/** What a client's configuration is made from. */
export interface Client {
  tree: string
  /** names of the ebuild repos; their priorities are Portage's defaults, as they were when the tree was built */
  repos: readonly string[]
  mainRepo: string
  /** base URLs of the publisher, without a slash at the end */
  rsync?: string
  http?: string
  /** of the key that signs the packages; absent: unsigned */
  fingerprint?: string
}

interface ClientFile {
  path: string
  content: string
}

export interface ClientCommand {
  /** what it does, as an order; entries of one `what` are one command: each only after the one before succeeded */
  what: string
  argv: string[]
}

export interface ClientConfiguration {
  files: ClientFile[]
  /** once, in this order, when the files are there; again after the key was renewed. Empty where nothing is signed */
  trust: ClientCommand[]
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
  const { rsync, http, fingerprint } = client
  if (rsync === undefined || http === undefined) throw urlMissing(rsync === undefined ? 'rsync' : 'http')
  return {
    files: [
      { path: '/etc/portage/repos.conf/treeswap.conf', content: reposConf(client, rsync) },
      { path: '/etc/portage/binrepos.conf/treeswap.conf', content: binreposConf(client, http) },
      ...(fingerprint === undefined ? [] : [{ path: OWNERTRUST, content: `${fingerprint}:6:\n` }]),
    ],
    trust: fingerprint === undefined ? [] : trust(client, http, destination.replace(/\/+$/, '')),
    commands: [
      { what: 'fetch the ebuild repos', argv: ['emerge', '--sync'] },
      ...takeOver(client, rsync, destination.replace(/\/+$/, '')),
      {
        what: 'install, update or go back to what is published',
        argv: ['emerge', '--update', '--deep', '--newuse', '--getbinpkg', '--rebuilt-binaries=y', '@world'],
      },
      { what: 'remove what nothing needs any more', argv: ['emerge', '--depclean'] },
    ],
  }
}

/** The same as text to read and to copy from. */
export function describeClient({ files, trust, commands }: ClientConfiguration): string {
  return [
    ...files.map(({ path, content }) => `### ${path}\n${content}`),
    ...Array.from(
      groupBy([...trust, ...commands], ({ what }) => what),
      ([what, parts]) => {
        const lines = parts.map(({ argv }) => argv.map(quote).join(' '))
        return `### ${what}\n${lines.join(' && \\\n')}\n`
      },
    ),
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

function binreposConf({ tree, fingerprint }: Client, http: string): string {
  const trust =
    fingerprint === undefined
      ? `# The packages are not signed: whoever can change what this URL gives can change what is installed.
# Use https, or a network that you trust.
verify-signature = false`
      : `# Signatures say that a package is genuine, not that it is the newest, or the one that was asked for: the index is not
# signed. Use https, or a network that you trust.
verify-signature = true`
  return `[treeswap]
sync-uri = ${http}/binpkgs/${tree}/
location = /var/cache/binhost/treeswap
priority = 9999
${trust}
`
}

/** Portage's own keyring, which it reads as the user nobody: so it must be readable for all, and its trust settled. */
const KEYRING = '/etc/portage/gnupg'
const OWNERTRUST = `${KEYRING}/treeswap.ownertrust`

/**
 * The key is trusted by its fingerprint, so another one is not, wherever it comes from. 6 is ultimate: Portage accepts
 * nothing less of a key that no other one vouches for (gpkg.py, `TRUST_ULTIMATE`).
 */
function trust({ tree }: Client, http: string, root: string): ClientCommand[] {
  const home = `${root}${KEYRING}`
  const key = `${home}/treeswap.gpg`
  const gpg = ['gpg', '--homedir', home, '--batch', '--no-tty']
  const what =
    "take over the key that signs, into Portage's own keyring: once, and again when it was renewed; " +
    'treeswap.ownertrust has the fingerprint of the configuration, so another key is not trusted'
  return [
    ['install', '--directory', '--mode=0755', home],
    ['wget', `--output-document=${key}`, `${http}/binpkgs/${tree}/${tree}.gpg`],
    [...gpg, '--import', key],
    [...gpg, '--import-ownertrust', `${root}${OWNERTRUST}`],
    [...gpg, '--check-trustdb'],
    ['chmod', 'a+r', `${home}/pubring.kbx`, `${home}/trustdb.gpg`],
  ].map((argv) => ({ what, argv }))
}

/** Both fetch and take-over; what has another content has another time (rsync looks at size and time). */
const copy = ['rsync', '--recursive', '--links', '--perms', '--times', '--delete-delay']

/**
 * Fetched by one connection, so that all of it comes from one generation, and taken over from there. rsync enters a
 * destination that is a symlink, so `/etc/portage` may be one; `--keep-dirlinks` would enter every other link as well,
 * such as a make.profile that becomes a directory, and change the ebuild repo behind it. Deletion stays inside
 * etc/portage and the fetched copy.
 */
function takeOver({ tree }: Client, rsync: string, root: string): ClientCommand[] {
  // rsync makes the last directory of a destination: /var/cache is on every Gentoo machine (FHS)
  const fetched = `${root}/var/cache/treeswap`
  const portage = `${fetched}/var/lib/portage`
  const own = ownFiles.map((name) => `--exclude=/${name}`)
  const what = `take over profile and world, keeping this machine's own ${ownFiles.join(', ')}`
  return [
    { what, argv: [...copy, `${rsync}/profiles/${tree}/.profile/`, `${fetched}/`] },
    {
      what,
      argv: [...copy, '--delay-updates', ...own, `${fetched}/etc/portage/`, `${root}/etc/portage/`],
    },
    {
      what,
      argv: ['rsync', '--perms', '--times', `${portage}/world`, `${portage}/world_sets`, `${root}/var/lib/portage/`],
    },
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
