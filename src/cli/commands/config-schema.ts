import { configJsonSchema } from '../../config/schema.js'
import { defineCommand } from '../command.js'

export const configSchema = defineCommand({
  name: 'config schema',
  summary: 'print the JSON Schema of treeswap.yaml, for editors',
  examples: {
    'config schema > treeswap.schema.json': 'then "# yaml-language-server: $schema=treeswap.schema.json" in the YAML',
  },
  positionals: {},
  options: {},
  run() {
    const schema = configJsonSchema()
    return Promise.resolve({ json: { jsonSchema: schema }, text: JSON.stringify(schema, undefined, 2) })
  },
})
