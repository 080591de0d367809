import { expect } from 'chai'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { compile, treeswap } from './treeswap.js'

describe('treeswap step', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()

  before(compile)

  async function step(config: string | null): Promise<Record<string, string>> {
    const request = { schema: 1, job: 'treeswap/report', number: '1', step: 'report', config }
    writeFiles(directory(), { 'request.json': JSON.stringify(request), 'treeswap.yaml': 'left over' })
    await treeswap(['step', 'request.json', '--result', 'result.json'], { cwd: directory() })
    return JSON.parse(readFileSync(join(directory(), 'result.json'), 'utf8')) as Record<string, string>
  }

  it('reads the configuration that the job names', async () => {
    expect(await step('treeswap.yaml')).to.include({ status: 'failed', code: 'CONFIG_INVALID' })
  })

  it('reads that of the agent where the job names none, whatever lies in the workspace', async () => {
    const { message, hint, code } = await step(null)
    expect(message ?? '').not.to.contain(directory())
    if (existsSync('/etc/treeswap/treeswap.yaml')) return
    expect(code).to.equal('CONFIG_MISSING')
    expect(message).to.contain('this agent has no /etc/treeswap/treeswap.yaml')
    expect(hint).to.contain('config: [url: ')
  })
})
