import { readRepoBuild } from '../../arch/repo-build.js'
import type { Build } from '../../model/build.js'
import { humanBytes, humanSeconds, humanTime } from '../../model/quantity.js'
import { parseReference } from '../../model/reference.js'
import { readBuild } from '../../store/builds.js'
import { resolveReference } from '../../store/references.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { table } from '../table.js'

export const show = defineCommand({
  name: 'show',
  summary: 'show what a build was made from and consists of',
  examples: { 'show database@12': 'one build', 'show database@published': 'the one that clients are served' },
  positionals: { reference: { type: 'string', describe: 'TREE[@REF]; default: the latest build', demandOption: true } },
  options: publisherOptions,
  async run(args) {
    const store = storeOf(args)
    const reference = parseReference(args.reference)
    const build = readBuild(store, reference.tree, resolveReference(store, reference, { kind: 'latest' }))
    if (build.kind !== 'pacman-repo') return { json: { build }, text: describeBuild(build) }
    const { recipes, packages } = await readRepoBuild(store, build)
    const rows = Array.from(recipes.recipes, ([base, { version, status, built, reason = '' }]) => [
      base,
      version,
      status,
      built === 0 ? 'never' : `@${built}`,
      reason,
    ])
    const parts = [describeBuild(build), table(['RECIPE', 'VERSION', 'STATUS', 'BUILT', ''], rows)]
    return {
      json: {
        build,
        architecture: recipes.architecture,
        recipes: Array.from(
          recipes.recipes,
          ([base, { source, version, status, built, reason = null, packages: made }]) => ({
            base,
            source,
            version,
            status,
            built,
            reason,
            packages: made.map(({ name }) => name),
          }),
        ),
        packages: packages.map(({ file }) => file),
      },
      text: parts.filter((part) => part !== '').join('\n\n'),
    }
  },
})

function describeBuild(build: Build): string {
  const seconds = (Date.parse(build.finished) - Date.parse(build.started)) / 1000
  const facts = [
    ['build', `${build.name}@${build.number}`],
    ['finished', `${humanTime(build.finished)} after ${humanSeconds(seconds)}`],
    ['packages', build.base === undefined ? 'all packed' : `packed where ${build.name}@${build.base} had not got them`],
    ...Object.entries(build.tools),
  ]
  const inputs = build.inputs.map((input) => [
    input.name,
    input.number === undefined ? '' : `@${input.number}`,
    input.commit?.slice(0, 12) ?? '',
    input.commitTime === undefined ? '' : humanTime(new Date(input.commitTime * 1000).toISOString()),
    input.url ?? '',
  ])
  const packs = build.packs.map(({ name, role, size, sha256 }) => [name, role, humanBytes(size), sha256.slice(0, 12)])
  return [
    facts.map(([name = '', value = '']) => `${name.padEnd(10)} ${value}`).join('\n'),
    table(['INPUT', 'BUILD', 'COMMIT', 'COMMITTED', 'FROM'], inputs),
    table(['PACK', 'HOLDS', 'SIZE', 'SHA256'], packs),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}
