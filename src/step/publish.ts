import type { Config } from '../config/config.js'
import { configurationError } from '../model/errors.js'
import { parseReference } from '../model/reference.js'
import type { Reference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { publishOver } from '../pipeline/publish-over.js'
import { encodeRequest, requestFor } from '../pipeline/publish-request.js'
import type { PublishAnswer } from '../pipeline/publish-request.js'
import { serveRequest } from '../pipeline/publisher.js'
import { sshKeyFile } from '../system/environment.js'
import type { RequestOf, StepOutcome } from './request.js'

type Publication = RequestOf<'publish'> | RequestOf<'rollback'>

/**
 * Publishes the running build, or what an operator names; here, or by asking the publisher over SSH.
 * @throws PUBLISH_OVER_MISSING, SSH_KEY_MISSING, and what serveRequest and publishOver throw
 */
export async function publishStep(config: Config, request: Publication, context: Context): Promise<StepOutcome> {
  const running = request.step === 'publish' && request.running === true
  const reference = running ? numbered(request.tree, request.number) : referenceOf(request)
  const asked = { ...requestFor(actionOf(request, reference), reference), ...(running && { running }) }
  const from = running ? `jenkins:${request.job}` : undefined
  const answer =
    request.over === true
      ? await askOver(config, asked, context)
      : await serveRequest(encodeRequest(asked), { config, from }, context)
  return { description: describe(answer, running), values: { ...answer } }
}

function numbered(tree: string, number: number): Reference {
  return parseReference(`${tree}@${number}`)
}

function referenceOf({ tree, reference = '' }: Publication): Reference {
  return parseReference(reference.trim() === '' ? tree : `${tree}@${reference.trim()}`)
}

/** What was published or tagged before is in the store; only a number, or the latest, can be a build that is not. */
function actionOf({ step }: Publication, { build }: Reference): 'publish' | 'rollback' {
  if (step === 'rollback') return 'rollback'
  return build === undefined || build.kind === 'number' || build.kind === 'latest' ? 'publish' : 'rollback'
}

async function askOver(
  { jenkins, file }: Config,
  request: Parameters<typeof publishOver>[1],
  context: Context,
): Promise<PublishAnswer> {
  const key = sshKeyFile()
  if (jenkins?.publishOver === undefined) {
    throw configurationError(
      'PUBLISH_OVER_MISSING',
      `${file} does not say how the publisher is reached`,
      'write publish-over with host, host-key and credentials under jenkins',
    )
  }
  if (key === undefined) {
    throw configurationError(
      'SSH_KEY_MISSING',
      'the job has no key for the publisher',
      "give treeswapPublish the credentials id: publishOver: [credentials: 'treeswap-publisher']",
    )
  }
  return publishOver(jenkins.publishOver, request, key, context)
}

function describe({ tree, build, serial, already }: PublishAnswer, isOwn: boolean): string {
  const what = already ? 'was published already' : 'published'
  return isOwn ? `${what} as generation ${serial}` : `${tree}@${build} ${what} as generation ${serial}`
}
