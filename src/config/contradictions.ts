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
  return [
    ...badNames(config),
    ...overlaps(config),
    ...badReferences(config),
    ...sharedTrees(config),
    ...sharedRoots(config),
  ]
}

function badNames({ machines, repos, chroots, pacman }: Config): Problem[] {
  const names = [
    ...[...pacman.keys()].map((name) => ({ section: 'pacman', kind: 'tree', name }) as const),
    ...[...pacman.values()].map(({ name, chroot }) => {
      return { section: 'pacman', rest: [name, 'chroot'], kind: 'chroot', name: chroot } as const
    }),
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

function badReferences({ machines, repos, chroots, pacman, keys, uploads }: Config): Problem[] {
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
  for (const { name, sign } of machines.values()) {
    if (sign !== undefined && !keys.has(sign)) unknown('key', sign, keys.keys(), ['machines', name, 'sign'])
  }
  for (const { name, sign, trust, revoke, upload } of pacman.values()) {
    const path = ['pacman', name]
    // pacman's own name for what is installed (pacman.conf(5))
    if (name === 'local') problems.push({ path, message: 'pacman has no repo called local: choose another name' })
    if (sign !== undefined && !keys.has(sign)) unknown('key', sign, keys.keys(), [...path, 'sign'])
    const lists = { trust, revoke }
    for (const [field, names] of Object.entries(lists)) {
      names.forEach((key, index) => {
        if (!keys.has(key) && key !== sign) unknown('key', key, keys.keys(), [...path, field, index])
      })
    }
    upload.forEach((host, index) => {
      if (!uploads.has(host)) unknown('upload', host, uploads.keys(), [...path, 'upload', index])
    })
    if (sign !== undefined && !trust.includes(sign)) {
      problems.push({ path: [...path, 'trust'], message: `clients have to trust ${sign}, which signs: add it` })
    }
    const revoked = revoke.find((key) => trust.includes(key))
    if (revoked !== undefined)
      problems.push({ path: [...path, 'revoke'], message: `${revoked} is trusted and revoked` })
  }
  if (chroots.size === 0) return problems
  for (const { name, chroot } of machines.values()) {
    if (!chroots.has(chroot)) unknown('chroot', chroot, chroots.keys(), ['machines', name, 'chroot'])
  }
  for (const { name, chroot } of pacman.values()) {
    if (!chroots.has(chroot)) unknown('chroot', chroot, chroots.keys(), ['pacman', name, 'chroot'])
  }
  for (const { name, chroot } of repos.values()) {
    const byMachine = [...machines.values()].some((machine) => machine.chroot === chroot)
    if (chroot !== undefined && !byMachine && !chroots.has(chroot)) {
      unknown('chroot', chroot, chroots.keys(), ['repos', name, 'chroot'])
    }
  }
  return problems
}

/** One name space: a tree's name is where it is published. */
function sharedTrees({ machines, pacman }: Config): Problem[] {
  const taken = new Map([...machines.keys()].map((name) => [name, 'a machine']))
  const problems: Problem[] = []
  for (const { name, debug } of pacman.values()) {
    for (const own of [name, ...(debug ? [`${name}-debug`] : [])]) {
      const other = taken.get(own)
      if (other === undefined) taken.set(own, 'a pacman repo')
      else
        problems.push({ path: ['pacman', name], message: `${own} is ${other} already: each tree needs its own name` })
    }
  }
  return problems
}

/** A machine's root is what it has installed; pacman repos, whose roots stay as they are, may share one. */
function sharedRoots({ machines, pacman }: Config): Problem[] {
  const owners = new Map<string, string>()
  return [...machines.values()]
    .flatMap(({ name, chroot }) => {
      const owner = owners.get(chroot)
      owners.set(chroot, owner ?? name)
      if (owner === undefined) return []
      const message = `${name} and ${owner} share the root ${chroot}: give each machine a chroot of its own`
      return [{ path: ['machines', name, 'chroot'], message }]
    })
    .concat(
      [...pacman.values()].flatMap(({ name, chroot }) => {
        const owner = owners.get(chroot)
        if (owner === undefined) return []
        return [
          {
            path: ['pacman', name, 'chroot'],
            message: `${owner} is built in the root ${chroot}: give ${name} another`,
          },
        ]
      }),
    )
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner)
  return way !== '..' && !way.startsWith('../')
}
