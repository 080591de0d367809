import { baseEnvironment } from '../chroot/base-environment.js'
import type { Bind, Limits } from '../chroot/requests.js'
import { bindRepos, repositoriesConfiguration } from './repositories.js'
import type { RepoDirectory } from './repositories.js'

/** Where the build's directories appear inside the container. */
const inside = {
  packages: '/var/cache/binpkgs',
  distfiles: '/var/cache/distfiles',
  etcPortage: '/etc/portage',
  logs: '/var/log/treeswap',
} as const

/** The host's directories that a world build reads and writes. */
export interface BuildDirectories {
  packages: string
  distfiles: string
  /** a copy of the profile's etc-portage that the container may change */
  etcPortage: string
  logs: string
}

export interface ContainerPlan {
  binds: Bind[]
  env: Record<string, string>
  limits: Limits
}

/**
 * The client's make.conf is the build's as well; what is meant for clients, or keeps us from our logs, is undone. The
 * layer is synced once, at its commit: a sync for each package would only make it slower, and cannot be killed.
 */
const features = [
  '-merge-sync',
  ...['-getbinpkg', '-binpkg-request-signature', '-binpkg-signing', 'binpkg-ignore-signature', '-parallel-fetch'],
  ...['-split-log', '-compress-build-logs', '-keepwork', '-keeptemp', '-noclean', 'buildpkg', 'binpkg-multi-instance'],
]

/**
 * Binds and environment of a world build. The profile's make.conf is written for clients: what it says of fetching
 * binary packages, asking and waiting is overridden here.
 */
export function planContainer(
  repos: readonly RepoDirectory[],
  directories: BuildDirectories,
  { network, limits }: { network: boolean; limits: Limits },
): ContainerPlan {
  const writable = Object.entries(inside).map(([key, target]) => ({
    source: directories[key as keyof BuildDirectories],
    target,
    writable: true,
  }))
  return {
    binds: [...bindRepos(repos), ...writable],
    env: {
      ...baseEnvironment,
      CLEAN_DELAY: '0',
      DISTDIR: inside.distfiles,
      EMERGE_DEFAULT_OPTS: '',
      EMERGE_WARNING_DELAY: '0',
      FEATURES: [...features, ...(network ? ['-network-sandbox'] : [])].join(' '),
      PKGDIR: inside.packages,
      PORTAGE_LOGDIR: inside.logs,
      PORTAGE_TMPDIR: '/var/tmp',
      PORTAGE_REPOSITORIES: repositoriesConfiguration(repos),
    },
    limits,
  }
}
