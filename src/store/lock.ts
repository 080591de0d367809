import { withLock } from '../system/lock.js'
import type { Store } from './layout.js'

/** Seconds that a command waits for another one on the same tree before it gives up: a publish takes about that. */
const PATIENCE = 10

/**
 * One publish, rollback or change of state of a tree at a time.
 * @param signal ends the wait
 * @throws LOCKED, ABORTED
 */
export function withTreeLock<T>(store: Store, tree: string, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  return withLock(store.lock(tree), { what: `tree ${tree}`, wait: PATIENCE, signal }, action)
}

/**
 * One pull of a tree at a time; it does not hold up a rollback, which needs only what has been recorded.
 * @param signal ends the wait
 * @throws LOCKED, ABORTED
 */
export function withPullLock<T>(store: Store, tree: string, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  return withLock(store.lock(`pull/${tree}`), { what: `the pull of tree ${tree}`, wait: PATIENCE, signal }, action)
}
