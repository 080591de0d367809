import { resolve } from 'node:path'
import { openRootService } from '../../chroot/root-service.js'
import { configurationError } from '../../model/errors.js'
import { builderDirectories } from '../../pipeline/directories.js'
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
    const { directory, config } = builderOf(args)
    const from = args.from === undefined ? config?.chroots.get(args.name)?.from : resolve(args.from)
    const status = from === undefined ? undefined : targetStatusOf(from)
    if (from === undefined || status === undefined) {
      throw configurationError(
        'CHROOT_ORIGIN',
        from === undefined ? `nothing says what ${args.name} is to be made from` : `there is no ${from}`,
        'name a tarball or a directory with --from',
      )
    }
    const origin = status.isDirectory() ? { directory: from } : { tarball: from }
    const service = openRootService(builderDirectories(directory).chroots)
    const chroot = await service.create({ name: args.name, from: origin }, context)
    return { json: { chroot }, text: `the root ${chroot.name} is there, made from ${from}` }
  },
})
