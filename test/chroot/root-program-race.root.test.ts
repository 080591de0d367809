import { expect } from 'chai'
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needsRoot } from '../lab/needs-root.js'
import { type AgentLab, makeAgentLab, ownersBelow, rawSession } from './agent-lab.js'
import { codeOf, makeContext, request } from './lab.js'

describe('chroot: the root program, while its user exchanges directories for links', function () {
  let lab: AgentLab | undefined
  const all = (): AgentLab => lab!
  const other = (): string => join(all().top, 'other')
  const bind = (source: string) => ({ binds: [{ source, target: '/mnt', writable: true }] })

  before(needsRoot)
  before(async () => {
    lab = makeAgentLab()
    mkdirSync(join(other(), 'sub'), { recursive: true })
    writeFileSync(join(other(), 'sub/file'), 'theirs\n', { mode: 0o640 })
    chownSync(join(other(), 'sub/file'), 1234, 1234)
    await lab.service.create({ name: 'allowed' }, makeContext())
  })
  after(() => lab?.remove())

  it('touches nothing else while directories are swapped for links all the time', async function () {
    this.timeout(180_000)
    const { builder, user } = all()
    const untouched = ownersBelow(other())
    const race = user.makeDirectory(builder, 'race')
    user.makeDirectory(race, 'a')
    user.makeDirectory(race, 'a/sub')
    const pause = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * 40)'
    const swap = (path: string, target: string) =>
      `${pause}
       try { fs.renameSync('${path}', '${path}.old'); fs.symlinkSync('${target}', '${path}') } catch {}
       ${pause}
       try { fs.unlinkSync('${path}') } catch {}
       try { fs.renameSync('${path}.old', '${path}') } catch {}`
    const script = `const fs = require('fs'); for (;;) {
      ${swap(join(race, 'a/sub'), join(other(), 'sub'))}
      ${swap(join(race, 'a'), other())}
      ${swap(race, other())}
    }`
    const swapper = user.start([process.execPath, '-e', script])
    const seen: Record<string, number> = {}
    try {
      const end = Date.now() + 25_000
      while (Date.now() < end) {
        const script = 'cd /mnt; id > hacked; id > sub/hacked; cat sub/file'
        const code = await codeOf(
          rawSession(all(), async (talk) => {
            const source = join(race, Math.random() < 0.5 ? 'a' : 'a/sub')
            await talk.ask({ type: 'run', request: request(['/bin/sh', '-c', script], bind(source)) })
            await talk.ask({ type: 'reclaim', directory: source })
          }),
        )
        seen[code] = (seen[code] ?? 0) + 1
      }
    } finally {
      swapper.kill('SIGKILL')
    }
    expect(Object.keys(seen)).to.include.members(['no error', 'BIND_MISSING'])
    const expected = ['no error', 'BIND_MISSING', 'BIND_MOVED', 'BIND_REFUSED', 'DIRECTORY_CHANGED']
    for (const code of Object.keys(seen)) expect(expected, JSON.stringify(seen)).to.include(code)
    expect(ownersBelow(other())).to.equal(untouched)
    expect(readFileSync(join(other(), 'sub/file'), 'utf8')).to.equal('theirs\n')
    console.log(`      ${JSON.stringify(seen)}`)
  })
})
