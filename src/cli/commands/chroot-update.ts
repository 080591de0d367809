import { rootServiceOf } from '../../agent/root-service-of.js'
import { updateRoot } from '../../chroot/update-root.js'
import { defineCommand } from '../command.js'
import { builderOf, builderOptions } from '../options.js'

export const chrootUpdate = defineCommand({
  name: 'chroot update',
  summary: 'bring a root up to date; what fails leaves it as it was',
  examples: {
    'chroot update arch': 'by pacman -Syu --noconfirm, where it has pacman',
    'chroot update debian -- apt-get -y upgrade': 'by another command',
  },
  positionals: {
    name: { type: 'string', describe: 'name of the root; nothing else may use it meanwhile', demandOption: true },
  },
  options: builderOptions,
  async run(args, context) {
    const request = { name: args.name, command: context.rest }
    const command = await updateRoot(rootServiceOf(builderOf(args)), request, context)
    return { json: { chroot: args.name, command, committed: true }, text: `the root ${args.name} is up to date` }
  },
})
