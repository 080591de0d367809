import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { configurationError } from '../../model/errors.js'
import { humanBytes } from '../../model/quantity.js'
import { formatReference, parseReference } from '../../model/reference.js'
import { logOf, readBuild } from '../../store/builds.js'
import { resolveReference } from '../../store/references.js'
import { statusOf } from '../../system/files.js'
import { run } from '../../system/process.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { printable } from '../printable.js'

export const log = defineCommand({
  name: 'log',
  summary: 'print the log of a build',
  examples: { 'log database@12': 'to standard output', 'log database@published | less': 'page by page' },
  positionals: { reference: { type: 'string', describe: 'TREE[@REF]; default: the latest build', demandOption: true } },
  options: publisherOptions,
  async run(args, { signal, json }) {
    const store = storeOf(args)
    const reference = parseReference(args.reference)
    const { tree } = reference
    const number = resolveReference(store, reference, { kind: 'latest' })
    const file = logOf(store, readBuild(store, tree, number))
    if (file === undefined || !isFile(file)) {
      throw configurationError(
        'LOG_MISSING',
        `${formatReference(tree, number)} has no log`,
        file === undefined
          ? 'only builds of `treeswap build` and `treeswap run` have one'
          : `${file} is not there: look for it where the build is archived`,
      )
    }
    const program = ['zstd', ['-dcq', '--', file]] as const
    if (json) return { json: { tree, number, log: await collect(program, signal) }, text: '' }
    await run(...program, {
      signal,
      // a build's output must not steer the reader's terminal; a file or a pager gets it as it is
      ...(process.stdout.isTTY
        ? { onLine: (line) => void process.stdout.write(`${printable(line)}\n`) }
        : { output: process.stdout }),
    })
    return { json: {}, text: '' }
  },
})

/** Bytes of a log that one JSON document may carry. */
const MAXIMUM = 64 * 2 ** 20

function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false
}

async function collect([file, args]: readonly [string, readonly string[]], signal: AbortSignal): Promise<string> {
  const stop = new AbortController()
  const chunks: Buffer[] = []
  let bytes = 0
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= MAXIMUM) chunks.push(chunk)
      else stop.abort()
      done()
    },
  })
  try {
    await Promise.all([run(file, args, { output, signal: AbortSignal.any([signal, stop.signal]) }), finished(output)])
  } catch (error) {
    if (!stop.signal.aborted) throw error
    throw configurationError(
      'LOG_TOO_LONG',
      `the log is longer than ${humanBytes(MAXIMUM)}, too long for a JSON document`,
      'run the command without --json and write the log to a file',
    )
  }
  return Buffer.concat(chunks).toString()
}
