import { resolve } from 'node:path'
import type { Config, PublisherConfig } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { ROOT_PROGRAM } from '../config/schema.js'
import { baseUrlProblem } from '../config/urls.js'
import { duration } from '../model/quantities.js'
import type { Context } from '../model/report.js'
import { signingOf } from '../pipeline/signing.js'
import { uploadAfterPublish } from '../pipeline/upload.js'
import type { TreeKey } from '../publish/options.js'
import type { PublishOptions } from '../publish/publish.js'
import { openStore } from '../store/layout.js'
import type { Store } from '../store/layout.js'
import type { UploadReport } from '../upload/upload.js'
import { usageError } from './usage-error.js'

export const configOption = {
  config: {
    type: 'string',
    describe: 'configuration file; default: ./treeswap.yaml, then /etc/treeswap/treeswap.yaml',
  },
} as const

export const publisherOptions = {
  root: {
    type: 'string',
    describe: "the publisher's directory; no configuration is read then, unless --config is given",
  },
  ...configOption,
} as const

export const builderOptions = {
  builder: { type: 'string', describe: "the builder's directory; default: that of the configuration" },
  ...configOption,
} as const

interface PublisherArguments {
  root: string | undefined
  config: string | undefined
}

/** What was said of a publisher; what nobody said is as it was in the last publish. */
type PublisherSettings = Partial<PublisherConfig> & Pick<PublisherConfig, 'root'>

/** Settings of the publisher that --root or the configuration names. */
export function publisherOf({ root, config }: PublisherArguments): PublisherSettings {
  if (root === undefined) return loadConfig(config).publisher
  return { ...(config !== undefined && loadConfig(config).publisher), root: resolve(root) }
}

export const publishOptions = {
  ...publisherOptions,
  http: {
    type: 'string',
    describe: 'base URL of the web server as clients reach it; default: publisher.http, or as before',
  },
  'no-http': {
    type: 'boolean',
    default: false,
    describe: 'name no web server, whatever the configuration or an earlier publish says',
  },
  grace: {
    type: 'string',
    describe: 'how long replaced generations stay, e.g. 6h; default: publisher.grace, or as before; at first 1d',
  },
  unsigned: {
    type: 'boolean',
    default: false,
    describe: 'publish a pacman repo without signatures, also one that was published with them',
  },
  'new-key': {
    type: 'boolean',
    default: false,
    describe:
      'sign a pacman repo also with a key that no published keyring package names: clients need it by hand then',
  },
  'no-upload': {
    type: 'boolean',
    default: false,
    describe: 'leave the hosts alone to which the configuration has a pacman repo uploaded',
  },
  'no-trial': {
    type: 'boolean',
    default: false,
    describe: "do not let this host's pacman read a pacman repo before clients do",
  },
} as const

/** Uploads what was just published, where the configuration says so. @returns what came of each host */
export async function uploadsOf(
  args: PublisherArguments & { 'no-upload': boolean },
  store: Store,
  tree: string,
  context: Context,
): Promise<UploadReport[]> {
  const config = args['no-upload'] ? undefined : configOf(args)
  return config === undefined ? [] : await uploadAfterPublish(store, config, tree, context)
}

/** Settings of a publish: those of the configuration, unless options say otherwise. */
export function publishingOf(
  args: PublisherArguments & {
    http: string | undefined
    'no-http': boolean
    grace: string | undefined
    unsigned: boolean
    'new-key': boolean
    'no-trial': boolean
  },
  tree: string,
  context: Context,
): PublishOptions & Pick<PublisherConfig, 'root'> {
  const problem = args.http === undefined ? undefined : baseUrlProblem(args.http, ['http', 'https'])
  if (problem !== undefined)
    throw usageError(`--http ${args.http ?? ''}: ${problem}`, 'for example http://pkgs.example.org')
  if (args['no-http'] && args.http !== undefined) {
    throw usageError('--http and --no-http exclude each other', 'give one of them')
  }
  const signing = signingOf(configOf(args), tree, context)
  if (args.unsigned && signing !== undefined) context.report.warn(signsAgain(tree))
  return {
    ...publisherOf(args),
    ...(args.http !== undefined && { http: args.http }),
    ...(args['no-http'] && { http: null }),
    ...(args.grace !== undefined && { graceSeconds: seconds('--grace', args.grace) }),
    unsigned: args.unsigned,
    newKey: args['new-key'],
    trial: !args['no-trial'],
    signing,
  }
}

function signsAgain(tree: string): string {
  return `the configuration still has ${tree} signed: the next publish without --unsigned, as by \`treeswap run\`, signs it again; take \`sign\` away to stay unsigned`
}

function seconds(option: string, text: string): number {
  const result = duration.safeParse(text)
  if (result.success) return result.data
  throw usageError(`${option} ${text} is no duration`, 'write a whole number with a unit: 90s, 15m, 6h or 1d')
}

/** The publisher's store; `create` where a command may be the first to use it. */
export function storeOf(args: PublisherArguments, options?: { create: boolean }): Store {
  return openStore(publisherOf(args).root, options)
}

/** The configuration, unless --root alone says where the store is. */
export function configOf({ root, config }: PublisherArguments): Config | undefined {
  return root === undefined || config !== undefined ? loadConfig(config) : undefined
}

/** The key that the configuration, where one is read, has sign a tree. */
export function keysOf(args: PublisherArguments, context: Context): (tree: string) => TreeKey | undefined {
  const config = configOf(args)
  return (tree) => signingOf(config, tree, context)
}

export const fromOptions = {
  from: { type: 'string', describe: 'where the build is archived: dir:PATH or jenkins:JOB' },
  running: {
    type: 'boolean',
    default: false,
    describe: 'the Jenkins build that runs this command is meant; it has archived everything, but not ended',
  },
} as const

/** Directory of the builder, and the configuration it came from if that was read. */
export function builderOf(args: { builder: string | undefined; config: string | undefined }): {
  directory: string
  rootProgram: string[]
  config: Config | undefined
} {
  const config = args.builder === undefined || args.config !== undefined ? loadConfig(args.config) : undefined
  const directory = args.builder === undefined ? (config?.builder.directory ?? '') : resolve(args.builder)
  return { directory, rootProgram: config?.builder.rootProgram ?? [ROOT_PROGRAM], config }
}

/** @throws USAGE where it is no build number */
export function buildNumber(option: string, text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text)
  throw usageError(`${option} must be a number from 1 on, not ${JSON.stringify(text)}`, 'build numbers rise from 1')
}
