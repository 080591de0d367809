import { loadConfig } from '../config/load.js'
import { configurationError } from '../model/errors.js'
import type { Reference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { publishOver } from '../pipeline/publish-over.js'
import { requestFor } from '../pipeline/publish-request.js'
import type { PublishAnswer, PublishRequest } from '../pipeline/publish-request.js'
import { sshKeyFile } from '../system/environment.js'
import { usageError } from './usage-error.js'

export const overOption = {
  over: {
    type: 'boolean',
    default: false,
    describe: 'ask the publisher of jenkins.publish-over, over SSH; TREESWAP_SSH_KEY names the file of the private key',
  },
} as const

/** What the other side knows itself. */
const THERE = ['from', 'root', 'http', 'no-http', 'grace', 'running', 'unsigned', 'new-key', 'no-trial'] as const

/**
 * Asks the publisher that the configuration names.
 * @throws USAGE, PUBLISH_OVER_MISSING, SSH_KEY_MISSING, and what publishOver throws
 */
export async function askPublisher(
  action: PublishRequest['action'],
  reference: Reference,
  args: { config: string | undefined } & Partial<Record<(typeof THERE)[number], unknown>>,
  context: Context,
): Promise<PublishAnswer> {
  const given = THERE.find((name) => args[name] !== undefined && args[name] !== false)
  if (given !== undefined) {
    throw usageError(`--over and --${given} exclude each other`, 'the publisher takes that from its own configuration')
  }
  const { jenkins, file } = loadConfig(args.config)
  if (jenkins?.publishOver === undefined) {
    throw configurationError(
      'PUBLISH_OVER_MISSING',
      `${file} does not say how the publisher is reached`,
      'write publish-over with host, host-key and credentials under jenkins',
    )
  }
  const key = sshKeyFile()
  if (key === undefined) {
    throw configurationError(
      'SSH_KEY_MISSING',
      'it is not known with which key the publisher is asked',
      'set TREESWAP_SSH_KEY to the file of the private key',
    )
  }
  return await publishOver(jenkins.publishOver, requestFor(action, reference), key, context)
}
