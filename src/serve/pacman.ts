import { configurationError } from '../model/errors.js'
import type { ClientCommand } from './portage.js'

/** What the configuration of a pacman repo's client is made from. */
export interface PacmanClientRequest {
  tree: string
  architecture: string
  /** where `os/ARCH/` of the tree lies, without a slash at its end; undefined: nobody said */
  url: string | undefined
  /** of the key that signs; undefined: unsigned */
  fingerprint: string | undefined
  /** whether the repo has a keyring package; a signed one does */
  keyring?: boolean
  /** whether there is a database of debug packages */
  debug: boolean
}

export interface PacmanClientConfiguration {
  /** to be put at the end of /etc/pacman.conf, or in front of a repo that has packages of the same names */
  section: string
  /** once, in this order, when the section is there */
  commands: ClientCommand[]
}

/** Where an administrator's files for pacman lie; the package with the keyring brings its own to another place. */
const DIRECTORY = '/etc/pacman.d'

/**
 * What a machine needs that installs from a pacman repo (pacman.conf(5), pacman-key(8)). The key is taken over by its
 * fingerprint, so a wrong one is not trusted, wherever it comes from; from then on the repo's own keyring package keeps
 * it up to date.
 * @throws PUBLISHER_URL
 */
export function pacmanConfiguration(client: PacmanClientRequest): PacmanClientConfiguration {
  const { tree, url, fingerprint } = client
  if (url === undefined) {
    throw configurationError(
      'PUBLISHER_URL',
      'the configuration does not say under which URL clients reach this publisher by http',
      'set publisher.http, for example http://pkgs.example.org, or give --url with what stands before /TREE/os of an uploaded copy',
    )
  }
  const server = `${url}/${tree}/os`
  const level =
    fingerprint === undefined
      ? `# Its packages are not signed: whoever can change what this URL gives can change what is installed.
# Use https, or a network that you trust.
SigLevel = Optional TrustAll`
      : 'SigLevel = Required DatabaseRequired'
  const names = client.debug ? [tree, `${tree}-debug`] : [tree]
  const section = names.map((name) => `[${name}]\n${level}\nServer = ${server}/$arch\n`).join('\n')
  const commands =
    fingerprint !== undefined
      ? trust(client, fingerprint, `${server}/${client.architecture}`)
      : client.keyring === true
        ? announced(client)
        : []
  return { section, commands: [...commands, { what: 'install what is published', argv: ['pacman', '-Syu'] }] }
}

/** The same as text to read and to copy from. */
export function describePacmanClient({ section, commands }: PacmanClientConfiguration): string {
  const lines = commands.map(({ what, argv }) => `### ${what}\n${argv.join(' ')}\n`)
  return [`### /etc/pacman.conf, at its end\n${section}`, ...lines].join('\n')
}

/** The keys of a repo that is not signed yet: they come as unsigned as everything else, and are there when it is. */
function announced({ tree }: PacmanClientRequest): ClientCommand[] {
  return [
    { what: 'make the keyring, where there is none', argv: ['pacman-key', '--init'] },
    {
      what: 'take over the keys that will sign the repo, before it is signed: after that it is too late',
      argv: ['pacman', '-Sy', `${tree}-keyring`],
    },
  ]
}

function trust({ tree }: PacmanClientRequest, fingerprint: string, directory: string): ClientCommand[] {
  const key = `${DIRECTORY}/${tree}.gpg`
  return [
    { what: 'make the keyring, where there is none', argv: ['pacman-key', '--init'] },
    {
      what: 'fetch the public key of the repo',
      argv: ['curl', '--fail', '--location', '--output', key, `${directory}/${tree}.gpg`],
    },
    { what: 'take it into the keyring', argv: ['pacman-key', '--add', key] },
    {
      what: 'trust it: the fingerprint is that of the configuration, so it fails for any other key',
      argv: ['pacman-key', '--lsign-key', fingerprint],
    },
    {
      what: 'let the repo itself say from now on which keys are good',
      argv: ['pacman', '-Sy', `${tree}-keyring`],
    },
  ]
}
