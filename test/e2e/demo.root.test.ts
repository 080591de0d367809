import { expect } from 'chai'
import { execa } from 'execa'
import { needsRoot } from '../lab/needs-root.js'

describe('the demo', function () {
  this.timeout(1_200_000)
  before(needsRoot)

  for (const [of, main] of [
    ['Gentoo', 'test/demo/main.ts'],
    ['Arch', 'test/demo-arch/main.ts'],
  ] as const) {
    it(`for ${of} proves all that it claims, in four rounds`, async () => {
      const loader = ['--no-warnings', '--loader', 'ts-node/esm']
      const { exitCode, stdout } = await execa(process.execPath, [...loader, main], {
        env: { TS_NODE_TRANSPILE_ONLY: '1' },
        reject: false,
        stdin: 'ignore',
        stderr: 'inherit',
      })
      expect(exitCode, stdout).to.equal(0)
      expect(stdout).to.contain('Round 4').and.to.contain('Proven, in')
      if (of === 'Gentoo') expect(stdout).to.contain('npm run demo:arch')
    })
  }
})
