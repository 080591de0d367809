import { nginxConfiguration } from '../../serve/nginx.js'
import { defineCommand } from '../command.js'
import { publisherOf, publisherOptions } from '../options.js'

export const configNginx = defineCommand({
  name: 'config nginx',
  summary: 'print a server block for nginx that serves what is published',
  examples: { 'config nginx > /etc/nginx/conf.d/treeswap.conf': 'as the publisher of the configuration needs it' },
  positionals: {},
  options: publisherOptions,
  run(args) {
    const text = nginxConfiguration(publisherOf(args))
    return Promise.resolve({ json: { content: text }, text: text.trimEnd() })
  },
})
