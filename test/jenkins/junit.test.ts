import { expect } from 'chai'
import { parseStringPromise } from 'xml2js'
import { junitXml } from '../../src/jenkins/junit.js'

describe('the test report of a build', () => {
  it('has a case per package, and survives whatever a log holds', async () => {
    const output = 'caf\u00e9 <b> & "quotes" ]]> \u001b[31mred\u0000 \ud800 end'
    const text = junitXml('database', [
      { name: 'app-misc/hello-2.10', status: 'compiled', seconds: 1.5 },
      { name: 'dev-libs/tinycdb-0.78', status: 'reused' },
      {
        name: 'app-misc/bad-1',
        status: 'failed',
        code: 'PACKAGE_FAILED',
        message: 'it failed',
        hint: 'mend it',
        output,
      },
      { name: 'instantmenu', status: 'skipped', reason: 'it needs instantwm, which failed' },
    ])
    const { testsuite } = (await parseStringPromise(text)) as { testsuite: Suite }
    expect(testsuite.$).to.include({ name: 'database', tests: '4', failures: '1', skipped: '1' })
    expect(testsuite.testcase.map(({ $ }) => $)).to.deep.equal([
      { classname: 'database.app-misc', name: 'hello-2.10', time: '1.500' },
      { classname: 'database.dev-libs', name: 'tinycdb-0.78' },
      { classname: 'database.app-misc', name: 'bad-1' },
      { classname: 'database', name: 'instantmenu' },
    ])
    expect(testsuite.testcase[3]?.skipped?.[0]?.$).to.deep.equal({ message: 'it needs instantwm, which failed' })
    const [failure] = testsuite.testcase[2]?.failure ?? []
    expect(failure?.$).to.deep.equal({ type: 'PACKAGE_FAILED', message: 'it failed' })
    expect(failure?._).to.equal('it failed\nmend it\n\ncaf\u00e9 <b> & "quotes" ]]> \ufffd[31mred\ufffd \ufffd end')
  })
})

interface Suite {
  $: Record<string, string>
  testcase: {
    $: Record<string, string>
    failure?: { $: Record<string, string>; _: string }[]
    skipped?: { $: Record<string, string> }[]
  }[]
}
