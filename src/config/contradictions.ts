import { relative } from 'node:path'
import { TreeswapError } from '../model/errors.js'
import { didYouMean, validName } from '../model/names.js'
import type { Config } from './config.js'

export interface Problem {
  /** keys from the top of the file to the value that is meant */
  path: PropertyKey[]
  message: string
}

/** What a schema cannot see: names that are bad or lead nowhere, and directories and roots used twice. */
export function contradictions(config: Config): Problem[] {
  return [...badNames(config), ...overlaps(config), ...badReferences(config), ...sharedRoots(config)]
}

function badNames({ machines, repos, chroots }: Config): Problem[] {
  const names = [
    ...[...machines.keys()].map((name) => ({ section: 'machines', kind: 'tree', name }) as const),
    ...[...repos.keys()].map((name) => ({ section: 'repos', kind: 'ebuild repo', name }) as const),
    ...[...chroots.keys()].map((name) => ({ section: 'chroots', kind: 'chroot', name }) as const),
    ...[...machines.values()].map(({ name, chroot }) => {
      return { section: 'machines', rest: [name, 'chroot'], kind: 'chroot', name: chroot } as const
    }),
  ]
  return names.flatMap((entry) => {
    try {
      validName(entry.kind, entry.name)
      return []
    } catch (error) {
      if (!(error instanceof TreeswapError)) throw error
      const path = [entry.section, ...('rest' in entry ? entry.rest : [entry.name])]
      return [{ path, message: `${error.message}: ${error.hint}` }]
    }
  })
}

function overlaps({ publisher, builder }: Config): Problem[] {
  const artifacts = builder.artifacts.slice('dir:'.length)
  const problems: Problem[] = []
  if (contains(publisher.root, builder.directory) || contains(builder.directory, publisher.root)) {
    problems.push({
      path: ['builder', 'directory'],
      message: `the directories of builder (${builder.directory}) and publisher (${publisher.root}) must lie apart`,
    })
  } else if (contains(publisher.root, artifacts) || contains(artifacts, publisher.root)) {
    problems.push({
      path: ['builder', 'artifacts'],
      message: `artifacts (${artifacts}) and the directory of the publisher (${publisher.root}) must lie apart`,
    })
  }
  if (contains(artifacts, builder.directory)) {
    problems.push({ path: ['builder', 'artifacts'], message: 'artifacts need a directory of their own' })
  }
  return problems
}

function badReferences({ machines, repos, chroots }: Config): Problem[] {
  const problems: Problem[] = []
  const unknown = (kind: string, name: string, known: Iterable<string>, path: PropertyKey[]): void => {
    const names = [...known]
    const near = didYouMean(name, names) || (names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`)
    problems.push({ path, message: `there is no ${kind} ${JSON.stringify(name)} in this file: ${near}` })
  }
  for (const machine of machines.values()) {
    machine.repos.forEach((name, index) => {
      const path = ['machines', machine.name, 'repos', index]
      if (!repos.has(name)) unknown('repo', name, repos.keys(), path)
      else if (machine.repos.indexOf(name) < index) problems.push({ path, message: `${name} is listed twice` })
    })
  }
  if (chroots.size === 0) return problems
  for (const { name, chroot } of machines.values()) {
    if (!chroots.has(chroot)) unknown('chroot', chroot, chroots.keys(), ['machines', name, 'chroot'])
  }
  for (const { name, chroot } of repos.values()) {
    const byMachine = [...machines.values()].some((machine) => machine.chroot === chroot)
    if (chroot !== undefined && !byMachine && !chroots.has(chroot)) {
      unknown('chroot', chroot, chroots.keys(), ['repos', name, 'chroot'])
    }
  }
  return problems
}

function sharedRoots({ machines }: Config): Problem[] {
  const owners = new Map<string, string>()
  return [...machines.values()].flatMap(({ name, chroot }) => {
    const owner = owners.get(chroot)
    owners.set(chroot, owner ?? name)
    if (owner === undefined) return []
    const message = `${name} and ${owner} share the root ${chroot}: give each machine a chroot of its own`
    return [{ path: ['machines', name, 'chroot'], message }]
  })
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner)
  return way !== '..' && !way.startsWith('../')
}
