import type { MachineConfig } from '../config/config.js'
import type { Build, Input } from '../model/build.js'
import { sha256 } from '../system/hash.js'
import type { ChosenSnapshot } from './repo-snapshots.js'

/** Beside the names of ebuild repos, which have no colon. */
const PROFILE = 'machine:profile'
const OPTIONS = 'machine:options'

/**
 * What a machine's build depends on. Two builds with the same fingerprints would do the same, so the second is left
 * out.
 */
export function machineInputs(
  machine: MachineConfig,
  snapshots: readonly ChosenSnapshot[],
  profile: Omit<Input, 'name'>,
): Input[] {
  const repos = snapshots.map(({ name, build, place }) => {
    const from = build.inputs.find((input) => input.name === name)
    return { ...from, name, number: place.number, fingerprint: place.pack.sha256 }
  })
  const { target, emerge, after, network, unpackaged, chroot, mainRepo } = machine
  const options = { target, emerge, after, network, unpackaged, chroot, mainRepo, repos: machine.repos }
  return [...repos, { ...profile, name: PROFILE }, { name: OPTIONS, fingerprint: sha256(JSON.stringify(options)) }]
}

/** Whether a build was made from exactly these inputs. An input without a fingerprint is never the same. */
export function sameInputs(build: Build, inputs: readonly Input[]): boolean {
  const fingerprints = (list: readonly Input[]) => new Map(list.map(({ name, fingerprint }) => [name, fingerprint]))
  const before = fingerprints(build.inputs)
  const now = fingerprints(inputs)
  return (
    before.size === now.size && [...now].every(([name, value]) => value !== undefined && before.get(name) === value)
  )
}
