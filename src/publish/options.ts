import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { AcceptedKeys } from '../signing/accepted-keys.js'
import type { Signer } from '../signing/signer.js'
import type { Settings } from '../store/generations.js'
import type { TreeState } from '../store/state.js'

/** What is absent is as it was in the last publish of the tree. */
export interface PublishOptions {
  /** public base URL: `http://pkgs.example.org`; null: none */
  http?: string | null | undefined
  /** how long a generation stays for clients in flight after it was replaced, in seconds; at first a day */
  graceSeconds?: number | undefined
  /** what signs; a tree that was signed is not published without */
  signing?: TreeKey | undefined
  /** publish without signatures, also what was signed */
  unsigned?: boolean | undefined
  /** sign a pacman repo with a key that its clients cannot have got from the repo */
  newKey?: boolean | undefined
  /** false: do not let pacman read the generation before clients are led to it */
  trial?: boolean | undefined
}

/** The key that signs a tree: its secret part is read only where there is something to sign. */
export interface TreeKey {
  /** of the primary key: 40 upper-case hexadecimal digits */
  fingerprint: string
  open(): Promise<Signer>
  /** what clients that have its public part accept; read anew each time */
  accepted?(): Promise<AcceptedKeys>
}

const DEFAULT_GRACE = 86_400

/** What a publish goes by: what it was told, and else what the last one was. @throws SIGNING_KEY_MISSING */
export function settingsOf(
  build: Build,
  options: PublishOptions,
  { settings }: TreeState,
): Settings & { graceSeconds: number } {
  const http = options.http === undefined ? settings?.http : (options.http ?? undefined)
  const signed = signedBy(build, options, settings)
  return {
    ...(http !== undefined && { http: http.replace(/\/+$/, '') }),
    graceSeconds: options.graceSeconds ?? settings?.graceSeconds ?? DEFAULT_GRACE,
    ...(signed !== undefined && { signed }),
  }
}

/** Clients that demand signatures would be left without: that has to be asked for. */
function signedBy(
  { kind, name: tree }: Build,
  { signing, unsigned }: PublishOptions,
  before: Settings | undefined,
): string | undefined {
  if (unsigned === true) return undefined
  if (signing !== undefined || before?.signed === undefined) return signing?.fingerprint
  throw publishError(
    'SIGNING_KEY_MISSING',
    `${tree} is published with signatures of the key ${before.signed}, and now there is no key`,
    `name a key with sign under ${kind === 'machine' ? 'machines' : 'pacman'}.${tree} of the configuration (and give --config); --unsigned publishes without: clients that demand signatures then fail`,
  )
}
