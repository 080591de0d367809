import { PassThrough } from 'node:stream'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { configurationError } from '../../model/errors.js'
import { humanBytes } from '../../model/quantity.js'
import { formatReference, parseReference } from '../../model/reference.js'
import { logSection } from '../../recipes/log-section.js'
import { logOf, readBuild } from '../../store/builds.js'
import { resolveReference } from '../../store/references.js'
import { statusOf } from '../../system/files.js'
import { run, splitLines } from '../../system/process.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { printable } from '../printable.js'

export const log = defineCommand({
  name: 'log',
  summary: 'print the log of a build',
  examples: {
    'log database@12': 'to standard output',
    'log database@published | less': 'page by page',
    'log instant --recipe instantwm': 'what one recipe of a pacman repo said',
  },
  positionals: { reference: { type: 'string', describe: 'TREE[@REF]; default: the latest build', demandOption: true } },
  options: {
    recipe: { type: 'string', describe: 'pkgbase: only what this recipe of a pacman repo said' },
    ...publisherOptions,
  },
  async run(args, { signal, json }) {
    const store = storeOf(args)
    const reference = parseReference(args.reference)
    const { tree } = reference
    const number = resolveReference(store, reference, { kind: 'latest' })
    const build = readBuild(store, tree, number)
    const source = formatReference(tree, number)
    const file = logOf(store, build)
    if (file === undefined || !isFile(file)) throw missing(source, file)
    const section = args.recipe === undefined ? undefined : logSection(args.recipe)
    const text = section ?? new PassThrough()
    const stop = new AbortController()
    const [document] = await Promise.all([
      json ? collect(text, stop) : print(text),
      run('zstd', ['-dcq', '--', file], { signal: AbortSignal.any([signal, stop.signal]), output: text }).catch(
        (error: unknown) => {
          text.destroy()
          if (!stop.signal.aborted) throw error
        },
      ),
    ])
    if (section !== undefined && !section.names.includes(args.recipe ?? '')) {
      throw notInLog(args.recipe ?? '', source, section.names)
    }
    return { json: document === undefined ? {} : { tree, number, log: document }, text: '' }
  },
})

/** Bytes of a log that one JSON document may carry. */
const MAXIMUM = 64 * 2 ** 20

function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false
}

/** A build's output must not steer the reader's terminal; a file or a pager gets it as it is. */
async function print(text: Readable): Promise<undefined> {
  if (process.stdout.isTTY) {
    await splitLines(text, (line) => void process.stdout.write(`${printable(line)}\n`))
    return
  }
  text.pipe(process.stdout, { end: false })
  await finished(text)
}

/** @param stop ends what writes the text where it is too long */
async function collect(text: Readable, stop: AbortController): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of text) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes <= MAXIMUM) continue
    stop.abort()
    throw configurationError(
      'LOG_TOO_LONG',
      `the log is longer than ${humanBytes(MAXIMUM)}, too long for a JSON document`,
      'run the command without --json and write the log to a file',
    )
  }
  return Buffer.concat(chunks).toString()
}

function missing(source: string, file: string | undefined): Error {
  return configurationError(
    'LOG_MISSING',
    `${source} has no log`,
    file === undefined
      ? 'only builds of `treeswap build` and `treeswap run` have one'
      : `${file} is not there: look for it where the build is archived`,
  )
}

function notInLog(recipe: string, source: string, names: readonly string[]): Error {
  return configurationError(
    'LOG_MISSING',
    `${source} has no log of a recipe ${recipe}`,
    names.length === 0
      ? 'only builds of pacman repos have logs of recipes'
      : `a recipe's log is in the build that built it: \`treeswap show ${source}\`; this one built ${names.join(', ')}`,
  )
}
