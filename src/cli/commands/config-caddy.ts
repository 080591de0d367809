import { caddyConfiguration } from '../../serve/caddy.js'
import { defineCommand } from '../command.js'
import { publisherOf, publisherOptions } from '../options.js'

export const configCaddy = defineCommand({
  name: 'config caddy',
  summary: 'print a site for Caddy that serves what is published',
  examples: { 'config caddy > /etc/caddy/Caddyfile': 'as the publisher of the configuration needs it' },
  positionals: {},
  options: publisherOptions,
  run(args) {
    const text = caddyConfiguration(publisherOf(args))
    return Promise.resolve({ json: { content: text }, text: text.trimEnd() })
  },
})
