import { openSource } from '../agent/sources.js'
import { chooseNumber } from '../artifact/source.js'
import type { ArtifactSource } from '../artifact/source.js'
import type { Config } from '../config/config.js'
import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { publish, rollback } from '../publish/publish.js'
import { openStore } from '../store/layout.js'
import type { Store } from '../store/layout.js'
import { pull } from '../store/pull.js'
import { parseRequest } from './publish-request.js'
import type { PublishAnswer, PublishRequest } from './publish-request.js'
import { signingOf } from './signing.js'
import { uploadAfterPublish } from './upload.js'

/** What the publisher's own administrator has said. */
export interface PublisherSite {
  config: Config
  /** where artifacts come from; default: the jobs of the configuration's Jenkins, or the builder's artifacts */
  from: string | undefined
}

/**
 * Carries out a request of somebody who may ask for builds to be published, and for nothing else: which directories
 * are served, where artifacts come from and which trees there are is up to the site.
 * @param text the request, as it came
 * @throws REQUEST_INVALID, REQUEST_TOO_NEW, NAME_INVALID, REFERENCE_INVALID, TREE_UNKNOWN, and what pull, publish and
 * rollback throw
 */
export async function serveRequest(text: string, site: PublisherSite, context: Context): Promise<PublishAnswer> {
  const { request, reference } = parseRequest(text)
  const { config } = site
  const { publisher } = config
  const options = { ...publisher, signing: signingOf(config, request.tree, context) }
  requireKnown(request.tree, config)
  const store = openStore(publisher.root, { create: request.action === 'publish' })
  if (request.action === 'rollback') {
    const publication = await rollback(store, reference, options, context)
    await uploadAndWarn(store, config, request.tree, context)
    return publication
  }
  const { build } = reference
  if (build !== undefined && build.kind !== 'number' && build.kind !== 'latest') {
    throw configurationError(
      'REQUEST_INVALID',
      `a build to publish is named by its number, not by ${JSON.stringify(request.reference)}`,
      'ask for a rollback to publish what is in the store already',
    )
  }
  const source = sourceOf(site, request, context)
  const number = await chooseNumber(source, { kind: 'tree', name: request.tree }, request.build)
  const { fetchedBytes, newObjects } = await pull(store, source, request.tree, number, context)
  const publication = await publish(store, request.tree, number, options, context)
  await uploadAndWarn(store, config, request.tree, context)
  return { ...publication, pulled: { fetchedBytes, newObjects } }
}

/** It is published, whatever becomes of other hosts: what failed there is told, and done by the next upload. */
async function uploadAndWarn(store: Store, config: Config, tree: string, context: Context): Promise<void> {
  for (const { name, error } of await uploadAfterPublish(store, config, tree, context)) {
    if (error !== undefined) context.report.warn(`the upload to ${name} failed: ${error.message} [${error.code}]`)
  }
}

/** Where the site names its trees, there is nothing else to publish. */
function requireKnown(tree: string, { machines, pacman, file }: Config): void {
  const known = [...machines.keys(), ...pacman.keys()]
  if (known.length === 0 || known.includes(tree)) return
  throw configurationError(
    'TREE_UNKNOWN',
    `${file} has no machine or pacman repo ${tree}`,
    didYouMean(tree, known) || `it has ${known.join(', ')}`,
  )
}

function sourceOf(
  { config, from }: PublisherSite,
  { tree, build, running }: PublishRequest,
  context: Context,
): ArtifactSource {
  const { jenkins, builder, pacman } = config
  const jobs = pacman.has(tree) ? 'packages' : 'machines'
  const own = jenkins === undefined ? builder.artifacts : `jenkins:${jenkins.folder}/${jobs}/${tree}`
  return openSource(from ?? own, config, { context, ...(running === true && { running: build }) })
}
