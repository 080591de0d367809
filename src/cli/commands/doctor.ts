import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.js'
import { examine } from '../../doctor/doctor.js'
import type { DoctorRequest } from '../../doctor/doctor.js'
import type { Finding } from '../../doctor/finding.js'
import { exitCodes, TreeswapError } from '../../model/errors.js'
import { count } from '../../model/quantity.js'
import { defineCommand } from '../command.js'
import { publisherOptions } from '../options.js'
import { table } from '../table.js'

const roles = ['build', 'publish', 'serve'] as const

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'say what this host lacks to build, to publish or to serve, and how to mend it',
  examples: {
    doctor: 'all roles; exit code 11 when one of them cannot be done',
    'doctor --role publish --role serve --root /srv/treeswap': "a publisher's host",
  },
  positionals: {},
  options: {
    role: {
      type: 'string',
      array: true,
      choices: roles,
      describe: 'what this host is for; may be repeated; default: all',
    },
    builder: { type: 'string', describe: "the builder's directory; default: that of the configuration" },
    ...publisherOptions,
  },
  async run(args, context) {
    const { root, builder, ...configuration } = configured(args.config)
    const findings = await examine(
      {
        roles: args.role ?? roles,
        root: args.root === undefined ? root : resolve(args.root),
        builder: args.builder === undefined ? builder : resolve(args.builder),
        ...configuration,
      },
      context,
    )
    const failed = findings.filter(({ status }) => status === 'fail').length
    return {
      json: { findings },
      text: describeFindings(findings, failed),
      exitCode: failed === 0 ? 0 : exitCodes.infrastructure,
    }
  },
})

/** What the configuration says; the defaults on a host that has none yet. */
function configured(file: string | undefined): Omit<DoctorRequest, 'roles'> {
  try {
    const { publisher, builder, chroots, machines, pacman, keys } = loadConfig(file)
    const signing = new Set([...machines.values(), ...pacman.values()].map(({ sign }) => sign))
    // clients are to trust them already, so they may be the next to sign
    const next = new Set([...pacman.values()].flatMap(({ trust }) => trust))
    return {
      root: publisher.root,
      builder: builder.directory,
      chroots: [...chroots.values()],
      used: [...machines.values(), ...pacman.values()].map(({ chroot }) => chroot),
      rootProgram: builder.rootProgram,
      keys: [...keys.values()].filter(
        ({ name, secretFile, gpg }) =>
          signing.has(name) || (next.has(name) && (secretFile !== undefined || gpg !== undefined)),
      ),
    }
  } catch (error) {
    const none = error instanceof TreeswapError && error.code === 'CONFIG_MISSING' && file === undefined
    if (!none) throw error
    return { root: '/srv/treeswap', builder: '/var/lib/treeswap', chroots: [] }
  }
}

function describeFindings(findings: readonly Finding[], failed: number): string {
  const rows = findings.map(({ role, name, status, detail }) => [status, role, name, detail])
  const hints = findings.flatMap(({ status, name, hint }) =>
    hint === undefined ? [] : [`  ${status} ${name}: ${hint}`],
  )
  return [
    table(['', 'ROLE', 'WHAT', 'FOUND'], rows),
    hints.length === 0 ? '' : `to mend it:\n${[...new Set(hints)].join('\n')}`,
    failed === 0 ? 'this host can do its work' : `${count(failed, 'thing')} must be mended first`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}
