import { expect } from 'chai'
import { Readable } from 'node:stream'
import { run, runAny } from '../../src/system/process.js'

describe('a program', () => {
  const error = (promise: Promise<unknown>) => promise.catch((caught: unknown) => caught)

  it('gets its arguments as they are: no shell reads them', async () => {
    expect(await run('printf', ['%s|', '$HOME', '; id', '*'])).to.equal('$HOME|; id|*|')
  })

  it('that fails is named with the end of what it said', async () => {
    const caught = await error(run('sh', ['-c', 'echo the reason >&2; exit 3']))
    expect(caught).to.include({ code: 'PROGRAM_FAILED' })
    expect(caught).to.have.property('message').that.contains('exit code 3').and.contains('the reason')
  })

  it('that is missing is an error of the host', async () => {
    expect(await error(run('treeswap-no-such-program', []))).to.include({
      code: 'PROGRAM_MISSING',
      category: 'infrastructure',
    })
  })

  it('is heard line by line, the last one too', async () => {
    const lines: string[] = []
    await runAny('printf', ['one\\ntwo\\nthree'], { onLine: (line) => lines.push(line) })
    expect(lines).to.deep.equal(['one', 'two', 'three'])
  })

  it('reads a stream and ends with it', async () => {
    expect(await run('cat', [], { input: Readable.from(['a', 'b']) })).to.equal('ab')
  })

  it('is stopped on request, also where it does not listen', async () => {
    const stop = new AbortController()
    const running = error(
      runAny('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'], {
        signal: stop.signal,
        killAfter: 100,
        onLine: () => {
          stop.abort()
        },
      }),
    )
    expect(await running).to.include({ code: 'ABORTED', category: 'aborted' })
  })

  it('sees only the environment that it is given', async () => {
    expect(await run('/usr/bin/env', [], { env: { ONLY: 'this' } })).to.equal('ONLY=this\n')
  })
})
