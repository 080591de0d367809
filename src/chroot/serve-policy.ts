import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import { targetStatusOf } from '../system/files.js'
import type { CreateRequest, Limits, RunRequest } from './requests.js'
import type { AllowedChroot, RootConfig } from './serve-config.js'
import { requireTrusted } from './trusted-path.js'

/** @throws CHROOT_REFUSED */
export function allowedChroot(config: RootConfig, name: string): AllowedChroot {
  const found = config.chroots.get(name)
  if (found !== undefined) return found
  const names = [...config.chroots.keys()]
  throw configurationError(
    'CHROOT_REFUSED',
    `the administrator of this host has not allowed the chroot ${JSON.stringify(name.slice(0, 100))}`,
    `${didYouMean(name, names) || `allowed are: ${names.join(', ') || 'none'}`}; others are added under chroots in root.yaml`,
  )
}

/**
 * What a root may be made from: what the administrator says, whom the caller may only repeat.
 * @throws ORIGIN_REFUSED, NOT_ROOTS_ALONE, PATH_MISSING
 */
export function allowedOrigin({ name, from }: AllowedChroot, asked: CreateRequest['from']): CreateRequest {
  const wanted = asked && ('tarball' in asked ? asked.tarball : asked.directory)
  if (wanted !== undefined && wanted !== from) {
    throw configurationError(
      'ORIGIN_REFUSED',
      `the chroot ${name} is not made from ${wanted}: root.yaml, the administrator's, names ${from ?? 'nothing'}`,
      from === undefined
        ? `let the administrator make it, or set chroots.${name}.from in root.yaml`
        : `leave \`from\` out, or write ${from}`,
    )
  }
  if (from === undefined) return { name }
  const origin = requireTrusted(from, `what the chroot ${name} is made from`)
  return { name, from: (targetStatusOf(origin)?.isDirectory() ?? false) ? { directory: origin } : { tarball: origin } }
}

/**
 * A request as it may be carried out: with no limit above the administrator's.
 * @throws NETWORK_REFUSED, INTERACTIVE_REFUSED
 */
export function allowedRun({ name, network, limits }: AllowedChroot, request: RunRequest): RunRequest {
  if (request.network && !network) {
    throw configurationError(
      'NETWORK_REFUSED',
      `programs in the chroot ${name} may not use the network`,
      `let the administrator set network: true for ${name} in root.yaml; fetching sources needs it`,
    )
  }
  if (request.interactive === true) {
    throw configurationError(
      'INTERACTIVE_REFUSED',
      'a shell in a chroot is for root only',
      'run `treeswap chroot shell` as root',
    )
  }
  return { ...request, limits: lowest(request.limits, limits) }
}

function lowest(asked: Limits, allowed: Limits): Limits {
  const result: Limits = {}
  for (const key of ['memory', 'processes', 'seconds', 'disk'] as const) {
    const values = [asked[key], allowed[key]].filter((value) => value !== undefined)
    if (values.length > 0) result[key] = Math.min(...values)
  }
  return result
}
