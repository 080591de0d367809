/** Runs a script in a root until it is killed: node … session-runner.ts CHROOTS NAME SCRIPT [commit] */
import { openRootService } from '../../src/chroot/root-service.js'
import { makeContext, request } from './lab.js'

const [chroots = '', name = '', script = '', commit] = process.argv.slice(2)
await openRootService(chroots).session(name, makeContext(), async (session) => {
  for (;;) {
    await session.run(request(['/bin/sh', '-c', script]), (line) => process.stdout.write(`${line}\n`))
    if (commit === 'commit') await session.commit()
    process.stdout.write('committed\n')
  }
})
