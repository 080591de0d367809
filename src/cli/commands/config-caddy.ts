import { loadConfig } from '../../config/load.js'
import { baseUrlProblem } from '../../config/urls.js'
import { configurationError } from '../../model/errors.js'
import { didYouMean } from '../../model/names.js'
import { caddyConfiguration, uploadedCaddyConfiguration } from '../../serve/caddy.js'
import { defineCommand } from '../command.js'
import { publisherOf, publisherOptions } from '../options.js'
import { usageError } from '../usage-error.js'

export const configCaddy = defineCommand({
  name: 'config caddy',
  summary: 'print a site for Caddy that serves what is published',
  examples: {
    'config caddy > /etc/caddy/Caddyfile': 'as the publisher of the configuration needs it',
    'config caddy --upload www --url https://www.example.org/repos': 'for a host to which trees are uploaded',
  },
  positionals: {},
  options: {
    upload: { type: 'string', describe: 'web host of the configuration (uploads) that the site is for; needs --url' },
    url: { type: 'string', describe: 'with --upload: what its clients put before /TREE/os' },
    ...publisherOptions,
  },
  run(args) {
    const { upload, url } = args
    if (upload === undefined && url !== undefined)
      throw usageError(
        '--url is of use only with --upload',
        'add --upload NAME, or leave it: publisher.http is the own address',
      )
    const text = upload === undefined ? caddyConfiguration(publisherOf(args)) : uploaded(upload, url, args.config)
    return Promise.resolve({ json: { content: text }, text: text.trimEnd() })
  },
})

function uploaded(name: string, url: string | undefined, file: string | undefined): string {
  const example = 'for example --url https://www.example.org/pacman, where clients find /TREE/os below that'
  if (url === undefined) throw usageError('--upload needs --url: how clients reach that host', example)
  const problem = baseUrlProblem(url, ['http', 'https'])
  if (problem !== undefined) throw usageError(`--url ${url}: ${problem}`, example)
  const config = loadConfig(file)
  const host = config.uploads.get(name)
  if (host !== undefined) {
    return uploadedCaddyConfiguration({ directory: host.directory, url: url.replace(/\/+$/, '') })
  }
  throw configurationError(
    'UPLOAD_UNKNOWN',
    `${config.file} has no ${name} under uploads`,
    didYouMean(name, config.uploads.keys()) || namesOf([...config.uploads.keys()]),
  )
}

function namesOf(uploads: readonly string[]): string {
  if (uploads.length === 0) return 'describe the host in the section uploads'
  return `it has ${uploads.join(', ')}: --upload takes such a name, not a tree or an address`
}
