// Puts what a Jenkins build may load into resources/: the runner that `npm run build` made, its checksum, the seed.
// --check only compares: a clone has to work as a library as it is.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const top = new URL('../', import.meta.url)
const runner = readFileSync(new URL('dist/treeswap.mjs', top))
const files = {
  'treeswap.mjs': runner,
  'treeswap.mjs.sha256': Buffer.from(`${createHash('sha256').update(runner).digest('hex')}\n`),
  'treeswap.licenses.txt': readFileSync(new URL('dist/treeswap.licenses.txt', top)),
  'seed.groovy': readFileSync(new URL('jobs/seed.groovy', top)),
}

for (const [name, content] of Object.entries(files)) {
  const file = new URL(`resources/treeswap/${name}`, top)
  if (existsSync(file) && readFileSync(file).equals(content)) continue
  if (process.argv.includes('--check')) {
    console.error(`resources/treeswap/${name} is not that of the sources: run npm run build && npm run library`)
    process.exitCode = 1
  } else writeFileSync(file, content)
}
