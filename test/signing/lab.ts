import { rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { objectKey, objectMtime } from '../../src/model/object-key.js'
import type { ObjectKey } from '../../src/model/object-key.js'
import type { Store } from '../../src/store/layout.js'
import { setTimes } from '../../src/system/files.js'

/** Puts content into a store, as a pull does. */
export function putObject(store: Store, content: string | Buffer): ObjectKey {
  const key = objectKey(createHash('sha256').update(content).digest('hex'), false)
  rmSync(store.object(key), { force: true })
  writeFileSync(store.object(key), content)
  setTimes(store.object(key), objectMtime(key), objectMtime(key))
  return key
}
