import { rsyncdConfiguration } from '../../serve/rsyncd.js'
import { defineCommand } from '../command.js'
import { publisherOf, publisherOptions } from '../options.js'

export const configRsyncd = defineCommand({
  name: 'config rsyncd',
  summary: 'print rsyncd.conf for the rsync daemon that serves what is published',
  examples: { 'config rsyncd > /etc/rsyncd.conf': 'as the publisher of the configuration needs it' },
  positionals: {},
  options: publisherOptions,
  run(args) {
    const text = rsyncdConfiguration(publisherOf(args))
    return Promise.resolve({ json: { content: text }, text: text.trimEnd() })
  },
})
