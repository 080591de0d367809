import { exitCodes } from '../../model/errors.js'
import { count } from '../../model/quantity.js'
import { check as checkPublisher } from '../../publish/check.js'
import type { Finding } from '../../store/finding.js'
import { defineCommand } from '../command.js'
import { keysOf, publisherOptions, storeOf } from '../options.js'
import { table } from '../table.js'

export const check = defineCommand({
  name: 'check',
  summary:
    'hash everything the store has again and name what is damaged, missing or foreign, or signed by what clients no longer accept',
  examples: { check: 'exit code 13 when something was found', 'check --root /srv/treeswap --json': 'for a monitor' },
  positionals: {},
  options: publisherOptions,
  async run(args, context) {
    const findings = await checkPublisher(storeOf(args), context, keysOf(args, context))
    return {
      json: { findings },
      text: findings.length === 0 ? 'everything is as it was written' : describeFindings(findings),
      exitCode: findings.length === 0 ? 0 : exitCodes.publish,
    }
  },
})

function describeFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ kind, path, builds }) => [kind, path, builds.join(', ')])
  const hints = [...new Set(findings.map(({ hint }) => hint))]
  return [
    table(['', 'FILE', 'BUILDS AFFECTED'], rows),
    `${count(findings.length, 'file')}: what to do\n${hints.map((hint) => `  - ${hint}`).join('\n')}`,
  ].join('\n\n')
}
