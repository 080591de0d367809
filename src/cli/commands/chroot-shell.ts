import { rootServiceOf } from '../../agent/root-service-of.js'
import { environment } from '../../system/environment.js'
import { defineCommand } from '../command.js'
import { builderOf, builderOptions } from '../options.js'

export const chrootShell = defineCommand({
  name: 'chroot shell',
  summary: 'open a shell in a root, or run a command there; changes are dropped unless --commit is given',
  examples: {
    'chroot shell database': 'look around',
    'chroot shell database --commit -- ldconfig': 'change the root for good',
  },
  positionals: {
    name: {
      type: 'string',
      describe: 'name of the root; emerge needs more: only a build brings profile and ebuild repos',
      demandOption: true,
    },
  },
  options: {
    commit: { type: 'boolean', default: false, describe: 'keep the changes if the shell or command ends with 0' },
    ...builderOptions,
  },
  async run(args, context) {
    const service = rootServiceOf(builderOf(args))
    const argv = context.rest.length > 0 ? context.rest : ['/bin/bash', '--login']
    const { TERM = 'dumb' } = environment()
    const lines: string[] = []
    const { exitCode, committed } = await service.session(args.name, context, async (session) => {
      const interactive = !context.json
      const request = { argv, env: { TERM }, binds: [], network: true, limits: {}, interactive }
      const exitCode = await session.run(request, (line) => lines.push(line))
      if (exitCode !== 0 || !args.commit) return { exitCode, committed: false }
      await session.commit()
      return { exitCode, committed: true }
    })
    const kept = committed ? `the changes are part of ${args.name} now` : `changes in ${args.name} were dropped`
    context.report.step(kept)
    return { json: { chroot: args.name, exitCode, committed, output: lines }, text: '', exitCode }
  },
})
