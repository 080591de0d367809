import { resolve } from 'node:path'
import { openSource } from '../../agent/sources.js'
import { describeCheckout } from '../../git/git.js'
import { chooseSnapshot, snapshotOf } from '../../machines/repo-snapshots.js'
import { snapshotRepo } from '../../machines/snapshot.js'
import { validName } from '../../model/names.js'
import { version } from '../../system/version.js'
import { describeArtifact } from '../artifact-outcome.js'
import { defineCommand } from '../command.js'
import { buildNumber, builderOf, builderOptions } from '../options.js'

export const snapshot = defineCommand({
  name: 'snapshot',
  summary: 'archive a checkout of an ebuild repo, with its metadata cache',
  examples: {
    'snapshot gentoo --name gentoo --number 3 --out artifacts/repos/gentoo/3': 'a repo that brings its cache',
    'snapshot overlay --name overlay --number 8 --out artifacts/repos/overlay/8 --chroot database --master gentoo=dir:artifacts':
      'an overlay, whose cache is generated in the root "database"',
  },
  positionals: { directory: { type: 'string', describe: 'checkout of the ebuild repo', demandOption: true } },
  options: {
    name: { type: 'string', demandOption: true, describe: 'name of the ebuild repo (profiles/repo_name)' },
    number: { type: 'string', demandOption: true, describe: 'number of the snapshot' },
    out: { type: 'string', demandOption: true, describe: 'directory to make' },
    chroot: { type: 'string', describe: 'root in which metadata/md5-cache is generated where there is none' },
    master: {
      type: 'string',
      array: true,
      default: [],
      describe: 'NAME=SOURCE[@N]: a repo whose eclasses are needed; may be repeated',
    },
    previous: { type: 'string', describe: 'SOURCE of earlier snapshots, whose cache is taken as far as it holds' },
    ...builderOptions,
  },
  async run(args, context) {
    const name = validName('ebuild repo', args.name)
    const directory = resolve(args.directory)
    const output = resolve(args.out)
    const checkout = await describeCheckout(directory, context)
    const builder = builderOf(args)
    const earlier = args.previous === undefined ? undefined : openSource(args.previous, builder.config, { context })
    const any = earlier !== undefined && (await earlier.numbers({ kind: 'ebuild-repo', name })).length > 0
    const build = await snapshotRepo(
      {
        directory,
        name,
        number: buildNumber('--number', args.number),
        output,
        input: checkout === undefined ? {} : { commit: checkout.commit, commitTime: checkout.commitTime },
        chroot: args.chroot === undefined ? undefined : validName('chroot', args.chroot),
        masters: await Promise.all(args.master.map((master) => chooseSnapshot(master, builder.config, context))),
        previous: any ? await snapshotOf(earlier, name) : undefined,
        builder,
        tools: { treeswap: version() },
      },
      context,
    )
    return describeArtifact(build, output)
  },
})
