import { humanTime } from '../model/quantity.js'
import type { EndedRun } from '../pipeline/last-run.js'
import type { HostDetails, RepoDetails } from '../pipeline/repo-details.js'
import type { RecipeOutcome } from '../recipes/repo-outcome.js'
import { describeRecipe } from './recipe-outcome.js'

/** As lines, for people. */
export function describeDetails(tree: string, { running, lastRun, checked, recipes, uploads }: RepoDetails): string {
  return [
    `${tree}:`,
    ...(running === null
      ? []
      : [`  a run began ${humanTime(running)} and has not ended: it is at work, or was killed`]),
    lastRun === null ? '  no run is recorded on this host' : `  last run ${describeLast(tree, lastRun)}`,
    ...(checked === null ? [] : [`  nothing new to try, ${humanTime(checked)}`]),
    ...recipes.map((recipe) => describeRecipe(short(recipe))),
    ...uploads.map(describeHost),
  ].join('\n')
}

function describeLast(tree: string, { ended, status, number, partial, error }: Omit<EndedRun, 'recipes'>): string {
  const build = number === undefined ? '' : ` (${tree}@${number})`
  const what = error === undefined ? `${status}${build}${partial ? ', not everything' : ''}` : failed(error)
  return `${humanTime(ended)}: ${what}`
}

function failed({ code, message }: NonNullable<EndedRun['error']>): string {
  return `failed [${code}]: ${line(message)}`
}

function describeHost({ name, host, generation, at, behind, failure }: HostDetails): string {
  const has =
    generation === null || at === null
      ? 'unknown: nothing was uploaded from here'
      : `generation ${generation}, ${humanTime(at)}${behind === true ? ', which is not what is published' : ''}`
  const why =
    failure === undefined
      ? ''
      : `\n    the upload of generation ${failure.generation} failed ${humanTime(failure.at)} [${failure.code}]: ${line(failure.message)}`
  return `  upload to ${name} (${host}): ${has}${why}`
}

/** One line, without the hint, which is in the JSON. */
function short({ base, status, version, reason, code }: RecipeOutcome): RecipeOutcome {
  return {
    base,
    status,
    ...(version !== undefined && { version }),
    ...(reason !== undefined && { reason: line(reason) }),
    ...(code !== undefined && { code }),
  }
}

/** characters */
const LINE = 200

function line(text: string): string {
  const whole = text.replace(/\p{Cc}+/gu, ' ')
  return whole.length <= LINE ? whole : `${whole.slice(0, LINE - 1)}…`
}
