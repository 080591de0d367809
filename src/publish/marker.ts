import type { Build } from '../model/build.js'
import type { FileMap } from '../model/file-map.js'
import type { Signer } from '../signing/signer.js'
import type { Kept, Marker, Settings, Stamps } from '../store/generations.js'
import type { TreeState } from '../store/state.js'
import { now } from '../system/clock.js'
import { sha256 } from '../system/hash.js'

/** Publishes that a generation remembers: the state of its tree can be told from it where the file is lost. */
const REMEMBERED = 20

interface MarkerRequest {
  build: Build
  serial: number
  uri: string | undefined
  stamps: Stamps
  index: FileMap
  kept: Kept
  state: TreeState
  settings: Settings
  signer: Signer | undefined
}

/** What a new generation says of itself. */
export function markerOf({ build, serial, uri, stamps, index, kept, state, settings, signer }: MarkerRequest): Marker {
  const digests = Array.from(index, ([path, source]): [string, string] => [
    path,
    source.kind === 'text' ? sha256(source.content) : '',
  ])
  return {
    schema: 1,
    tree: build.name,
    serial,
    build: build.number,
    at: new Date(now()).toISOString(),
    ...(uri !== undefined && { uri }),
    settings,
    ...(signer !== undefined && { signedBy: signer.signingKey }),
    stamps,
    history: state.history.slice(-REMEMBERED),
    index: Object.fromEntries(digests),
    ...(Object.keys(kept).length > 0 && { kept }),
  }
}

/** Where an index tells clients to fetch packages; pacman takes them from where it found the index. */
export function uriOf({ kind, name }: Build, { http }: Settings, serial: number): string | undefined {
  return http === undefined || kind === 'pacman-repo' ? undefined : `${http}/generations/${name}/${serial}/`
}
