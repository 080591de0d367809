import { join, relative } from 'node:path'
import type { ObjectKey } from '../model/object-key.js'
import { listDirectory, statusOf } from '../system/files.js'
import { readMapping } from './derived.js'
import { foreign } from './finding.js'
import type { Finding } from './finding.js'
import type { Store } from './layout.js'

export interface DerivedCheck {
  findings: Finding[]
  /** whether a mapping leads to an object */
  isDerived(key: ObjectKey): boolean
}

const HINT = 'the next publish of a tree that needs it makes it anew'

/**
 * Reads every mapping in `derived/` and looks for the objects that they lead to.
 * @param damaged those that are there and not as they should be: they have findings of their own
 */
export function checkDerived(
  store: Store,
  sound: ReadonlySet<ObjectKey>,
  damaged: ReadonlySet<ObjectKey>,
): DerivedCheck {
  const findings: Finding[] = []
  const derived = new Set<ObjectKey>()
  const top = join(store.root, 'derived')
  for (const directory of listDirectory(top)) {
    if (!directory.isDirectory() || !/^[0-9A-F]{40}$/.test(directory.name)) {
      findings.push(foreign(store, join(top, directory.name)))
      continue
    }
    for (const { name } of listDirectory(join(top, directory.name))) {
      const path = store.derived(directory.name, name)
      if (!/^[0-9a-f]{64}\.(sig|gpkg)$/.test(name)) {
        findings.push(foreign(store, path))
        continue
      }
      const mapped = readMapping(store, directory.name, name)
      if (mapped === undefined) findings.push(damagedDerived(store, path))
      else {
        const object = store.object(mapped.key)
        if (sound.has(mapped.key) && statusOf(object)?.size !== mapped.size) findings.push(damagedDerived(store, path))
        else if (!sound.has(mapped.key) && !damaged.has(mapped.key) && !derived.has(mapped.key))
          findings.push(missing(store, object))
        derived.add(mapped.key)
      }
    }
  }
  return { findings, isDerived: (key) => derived.has(key) }
}

/** For a mapping, or an object that nothing but mappings lead to. */
export function damagedDerived(store: Store, path: string): Finding {
  return { kind: 'damaged', path: relative(store.root, path), builds: [], hint: `remove it; ${HINT}` }
}

function missing(store: Store, path: string): Finding {
  return { kind: 'missing', path: relative(store.root, path), builds: [], hint: HINT }
}
