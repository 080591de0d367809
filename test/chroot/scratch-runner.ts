/**
 * Runs a script in a scratch session again and again until it is killed:
 * node … scratch-runner.ts '{"chroots": DIRECTORY} or {"program": […], "through": […]}' NAME SCRIPT
 */
import { remoteRootService } from '../../src/chroot/remote-service.js'
import { openRootService } from '../../src/chroot/root-service.js'
import { makeContext, request } from './lab.js'

const [where = '', name = '', script = ''] = process.argv.slice(2)
const { chroots, program, through } = JSON.parse(where) as Record<string, unknown>
const service =
  typeof chroots === 'string'
    ? openRootService(chroots)
    : remoteRootService(program as string[], through as string[] | undefined)
await service.scratch(name, makeContext(), async (session) => {
  for (;;) {
    const code = await session.run(request(['/bin/sh', '-c', script]), (line) => process.stdout.write(`${line}\n`))
    process.stdout.write(`ended ${code}\n`)
  }
})
