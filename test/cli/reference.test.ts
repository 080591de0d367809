import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

describe('docs/reference.md', function () {
  this.timeout(120_000)
  it('is what `npm run reference` writes', () => {
    const script = fileURLToPath(new URL('../../scripts/reference.mjs', import.meta.url))
    const loader = ['--no-warnings', '--loader', 'ts-node/esm']
    execFileSync(process.execPath, [...loader, script, '--check'], {
      env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' },
    })
  })
})
