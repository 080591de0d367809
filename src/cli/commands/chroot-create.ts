import { resolve } from 'node:path'
import { originOf } from '../../agent/ensure-chroot.js'
import { rootServiceOf } from '../../agent/root-service-of.js'
import { configurationError } from '../../model/errors.js'
import { targetStatusOf } from '../../system/files.js'
import { defineCommand } from '../command.js'
import { builderOf, builderOptions } from '../options.js'

export const chrootCreate = defineCommand({
  name: 'chroot create',
  summary: 'make a root from a tarball (stage3 shape) or a directory',
  examples: {
    'chroot create database --from stage3-amd64.tar.xz': 'from a tarball',
    'chroot create database': 'from what "chroots" in the configuration names',
  },
  positionals: { name: { type: 'string', describe: 'name of the root', demandOption: true } },
  options: {
    from: { type: 'string', describe: 'tarball or directory; default: that of the configuration' },
    ...builderOptions,
  },
  async run(args, context) {
    const builder = builderOf(args)
    const service = rootServiceOf(builder)
    const from = args.from === undefined ? builder.config?.chroots.get(args.name)?.from : resolve(args.from)
    // who knows the origins says which one is right, also where this user may not see it
    if (!service.knowsOrigins && (from === undefined || targetStatusOf(from) === undefined)) {
      throw configurationError(
        'CHROOT_ORIGIN',
        from === undefined ? `nothing says what ${args.name} is to be made from` : `there is no ${from}`,
        'name a tarball or a directory with --from',
      )
    }
    const origin = from === undefined ? {} : { from: originOf(from) }
    const chroot = await service.create({ name: args.name, ...origin }, context)
    return { json: { chroot }, text: `the root ${chroot.name} is there, made from ${chroot.from}` }
  },
})
