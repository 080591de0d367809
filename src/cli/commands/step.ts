import { resolve } from 'node:path'
import type { Config } from '../../config/config.js'
import { HOST_CONFIG, loadConfig } from '../../config/load.js'
import { configurationError, exitCodes } from '../../model/errors.js'
import type { Context } from '../../model/report.js'
import { StepFailure } from '../../step/build.js'
import { parseStepRequest } from '../../step/request.js'
import type { StepRequest, StepResult } from '../../step/request.js'
import { runStep } from '../../step/step.js'
import { exists, readText, writeAtomically } from '../../system/files.js'
import { defineCommand, UNSTABLE } from '../command.js'
import { explainError } from '../explain-error.js'

/** characters */
const DESCRIPTION = 200

export const step = defineCommand({
  name: 'step',
  summary: 'do what a step of the Jenkins library asks for; for vars/treeswap.groovy, not for people',
  examples: { 'step request.json --result result.json': 'the library writes the one and reads the other' },
  positionals: { request: { type: 'string', describe: 'what is asked for, JSON', demandOption: true } },
  options: { result: { type: 'string', demandOption: true, describe: 'file to write: what came of it, JSON' } },
  async run(args, context) {
    const { result, exitCode } = await answer(args.request, context)
    writeAtomically(resolve(args.result), `${JSON.stringify(result, undefined, 2)}\n`)
    return { json: { ...result }, text: textOf(result), exitCode }
  },
})

async function answer(file: string, context: Context): Promise<{ result: StepResult; exitCode: number }> {
  try {
    const request = parseStepRequest(readText(file))
    const outcome = await runStep(configurationOf(request), request, context)
    return { result: { schema: 1, status: 'ok', ...outcome }, exitCode: outcome.status === 'unstable' ? UNSTABLE : 0 }
  } catch (caught) {
    const failure = caught instanceof StepFailure ? caught : undefined
    const error = explainError(failure?.error ?? caught)
    // a step that is aborted has nobody to tell it to
    if (error.category === 'aborted') throw caught
    const { category, code, message, hint } = error
    const told = { category, code, message, hint, description: described(code, message) }
    return { result: { schema: 1, status: 'failed', ...told, ...failure?.outcome }, exitCode: exitCodes[category] }
  }
}

/** Without a name it is the agent's: what lies in a workspace may be left over from another build. */
function configurationOf({ config }: StepRequest): Config {
  if (config !== undefined) return loadConfig(config)
  if (exists(HOST_CONFIG)) return loadConfig(HOST_CONFIG)
  throw configurationError(
    'CONFIG_MISSING',
    `the job does not say where its configuration is, and this agent has no ${HOST_CONFIG}`,
    "write config: [url: …, branch: …] in the call of the step, or put treeswap.yaml into the Jenkinsfile's repository or on the agent",
  )
}

/** For the list of builds: one line. */
function described(code: string, message: string): string {
  const [line = ''] = message.split('\n')
  const text = `${code}: ${line}`
  return text.length <= DESCRIPTION ? text : `${text.slice(0, DESCRIPTION - 1)}…`
}

function textOf({ status, message, hint, description }: StepResult): string {
  if (status === 'failed') return `${message ?? ''}\n${hint ?? ''}`
  return [description, message].filter(Boolean).join('\n')
}
