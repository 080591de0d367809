import { jenkinsOf } from '../../agent/sources.js'
import { loadConfigIfThere } from '../../config/load.js'
import type { Jenkins } from '../../jenkins/client.js'
import { followConsole } from '../../jenkins/console.js'
import { validJob } from '../../jenkins/job-name.js'
import { trigger, waitForEnd, waitForStart } from '../../jenkins/queue.js'
import { exitCodes, TreeswapError } from '../../model/errors.js'
import type { Context } from '../../model/report.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { usageError } from '../usage-error.js'

/** Jenkins' results; UNSTABLE as the step says it to Jenkins. */
const codes: Record<string, number> = { SUCCESS: 0, UNSTABLE: 3, ABORTED: exitCodes.aborted }

export const jobsRun = defineCommand({
  name: 'jobs run',
  summary: 'start a job in Jenkins and follow it to its end',
  examples: {
    'jobs run treeswap/machines/database': 'builds the machine; its console output goes to standard error',
    'jobs run treeswap/publish --param TREE=database --param REFERENCE=12': 'publishes a build',
  },
  positionals: { job: { type: 'string', describe: 'full name of the job, with its folders', demandOption: true } },
  options: {
    param: { type: 'string', array: true, describe: 'NAME=VALUE: a parameter of the job; default: as the job says' },
    ...configOption,
  },
  async run(args, context) {
    const job = validJob(args.job)
    const parameters = parametersOf(args.param ?? [])
    const jenkins = jenkinsOf(loadConfigIfThere(args.config), context)
    const { number, result } = await follow(jenkins, job, parameters, context)
    const exitCode = codes[result] ?? exitCodes.build
    return { json: { job, number, result }, text: `${job} #${number}: ${result}`, exitCode }
  },
})

function parametersOf(given: readonly string[]): Record<string, string> {
  const pairs = given.map((text): [string, string] => {
    const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? []
    if (name !== undefined && value !== undefined) return [name, value]
    throw usageError(`--param ${text} is no parameter`, 'write --param NAME=VALUE')
  })
  const twice = pairs.find(([name], index) => pairs.findIndex(([other]) => other === name) < index)
  if (twice !== undefined) throw usageError(`--param ${twice[0]} was given more than once`, 'give it once')
  return Object.fromEntries(pairs)
}

async function follow(
  jenkins: Jenkins,
  job: string,
  parameters: Record<string, string>,
  { report, signal }: Context,
): Promise<{ number: number; result: string }> {
  let started = `what ${job} was asked for`
  try {
    const triggered = await trigger(jenkins, job, parameters)
    const waiting = { timeout: Infinity, signal }
    const number = await waitForStart(jenkins, triggered, { ...waiting, onWhy: (why) => report.step(why) })
    started = `build ${number} of ${job}`
    report.step(started)
    await followConsole(jenkins, job, number, (line) => report.line(line), { signal })
    return { number, result: await waitForEnd(jenkins, job, number, waiting) }
  } catch (error) {
    throw signal.aborted ? leftAlone(started, error) : error
  }
}

/** Whoever stops listening has not stopped the build. */
function leftAlone(what: string, cause: unknown): TreeswapError {
  return new TreeswapError('ABORTED', `following ${what} was stopped on request`, {
    category: 'aborted',
    hint: 'in Jenkins it goes on: stop it there if it is not wanted',
    cause,
  })
}
