import type { Failure, Skipped } from '../agent/attempt.js'
import { count, humanBytes } from '../model/quantity.js'
import type { NewPublication } from '../pipeline/publish-if-new.js'
import type { MachineOutcome } from '../pipeline/run-machine.js'
import { firstFailure } from '../pipeline/run.js'
import type { RunOutcome } from '../pipeline/run.js'
import type { Outcome } from './command.js'
import { plainError } from './plain-error.js'
import { describeRecipe } from './recipe-outcome.js'
import { describeHost, plainHost } from './upload-outcome.js'

/** What a run came to: a line for every repo and machine; for --json the failure that decided under "error". */
export function describeRun(outcome: RunOutcome): Outcome {
  const failure = firstFailure(outcome)
  const json = {
    repos: outcome.repos.map(plain),
    machines: outcome.machines.map(plain),
    pacman: outcome.pacman.map(plain),
    ...(failure !== undefined && { error: plainError(failure) }),
  }
  const lines = [
    ...outcome.repos.map(describeRepo),
    ...outcome.machines.map(describeMachine),
    ...outcome.pacman.map(describeRepoTree),
  ]
  return { json, text: lines.join('\n') }
}

function describeRepo(repo: RunOutcome['repos'][number]): string {
  if (repo.status === 'failed') return describeFailure(repo)
  if (repo.status === 'skipped') return describeSkipped(repo)
  return `${repo.name}@${repo.number}: ${repo.status === 'unchanged' ? 'unchanged' : 'new snapshot'} (${repo.commit.slice(0, 12)})`
}

function describeMachine(machine: RunOutcome['machines'][number]): string {
  if (machine.status === 'failed') return describeFailure(machine)
  if (machine.status === 'skipped') return describeSkipped(machine)
  const { name, number, build, publication, earlier = [] } = machine
  const parts = [
    describeStatus(machine),
    ...(build === undefined
      ? []
      : [
          `${count(build.compiled.length, 'package')} compiled`,
          `${build.reused.length} reused`,
          `artifact ${humanBytes(build.bytes)}`,
        ]),
    ...(publication === undefined ? [] : [`${humanBytes(publication.pulledBytes)} pulled`]),
    ...earlier.map((repo) => `with ${repo.name}@${repo.number}, its last good snapshot`),
  ]
  return `${name}@${number}: ${parts.join(', ')}`
}

function describeRepoTree(repo: RunOutcome['pacman'][number]): string {
  if (repo.status === 'failed') return describeFailure(repo)
  if (repo.status === 'skipped') return describeSkipped(repo)
  const { name, number, publication, recipes, uploads = [] } = repo
  const pulled = publication === undefined ? '' : `, ${humanBytes(publication.pulledBytes)} pulled`
  const head =
    number === undefined
      ? `${name}: nothing to build`
      : `${name}@${number}: ${describeStatus({ ...repo, number })}${pulled}`
  const isArchived = repo.status === 'built' && recipes.some(({ status }) => status === 'failed')
  return [
    head,
    ...recipes.map(describeRecipe),
    ...(isArchived ? [`  what they said: treeswap log ${name}@${number} --recipe NAME`] : []),
    ...uploads.map((one) => `  ${describeHost(one)}`),
  ].join('\n')
}

function describeStatus({
  name,
  number,
  status,
  published,
  publication,
}: Pick<MachineOutcome, 'name' | 'number' | 'status' | 'published' | 'publication'>): string {
  if (status === 'unchanged') {
    return published === undefined || published === number ? status : `unchanged (${name}@${published} is published)`
  }
  const as = publication === undefined ? '' : publishedAs(name, number, publication)
  return status === 'built' ? ['built', as].filter(Boolean).join(' and ') : as
}

function publishedAs(name: string, number: number, { build, serial }: NewPublication): string {
  return build === number ? `published as generation ${serial}` : `${name}@${build} signed anew as generation ${serial}`
}

function describeFailure({ name, error }: Failure): string {
  return `${name}: failed: ${error.message} [${error.code}]\n  ${error.hint}`
}

function describeSkipped({ name, reason }: Skipped): string {
  return `${name}: not built: ${reason}`
}

function plain(result: RunOutcome[keyof RunOutcome][number]): object {
  if (result.status === 'failed') return { ...result, error: plainError(result.error) }
  return 'uploads' in result ? { ...result, uploads: result.uploads.map(plainHost) } : result
}
