import type { ObjectKey } from '../model/object-key.js'

/** An object that was made from another one, such as its signature. */
export interface Derived {
  key: ObjectKey
  size: number
}
