import { loadConfig } from '../../config/load.js'
import { exitCodes } from '../../model/errors.js'
import { serveRequest } from '../../pipeline/publisher.js'
import { readInput } from '../../system/input.js'
import { whileHeard } from '../../system/listener.js'
import { defineCommand } from '../command.js'
import type { Outcome } from '../command.js'
import { explainError } from '../explain-error.js'
import { configOption } from '../options.js'

/** A request has a hundred bytes. */
const MAX_REQUEST = 2 ** 14
const PATIENCE = 30_000

export const publisher = defineCommand({
  name: 'publisher',
  summary: 'carry out one request to publish, read from standard input: a forced command of sshd',
  examples: {
    'publisher --config /etc/treeswap/treeswap.yaml': 'as authorized_keys has it, after command=',
    'publisher --from dir:/mnt/artifacts': 'builds are fetched from there, whatever the configuration says',
  },
  positionals: {},
  options: {
    from: {
      type: 'string',
      describe: "dir:PATH or jenkins:JOB; default: the machines' jobs under jenkins.folder, or builder.artifacts",
    },
    ...configOption,
  },
  async run({ config, from }, { report, signal }) {
    return await whileHeard(signal, async (heard) => {
      const context = { report, signal: heard }
      try {
        const text = await readInput(MAX_REQUEST, PATIENCE, heard)
        const done = await serveRequest(text, { config: loadConfig(config), from }, context)
        return document({ done })
      } catch (caught) {
        const { code, message, hint, category } = explainError(caught)
        return { ...document({ error: { code, message, hint, category } }), exitCode: exitCodes[category] }
      }
    })
  },
})

/** The other side reads JSON, whether --json was given or not. */
function document(json: Record<string, unknown>): Outcome {
  return { json, text: JSON.stringify({ schema: 1, ...json }) }
}
