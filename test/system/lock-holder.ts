/** Holds the lock at argv[2] until it is killed. */
import { withLock } from '../../src/system/lock.js'

await withLock(process.argv[2] ?? '', { what: 'test' }, async () => {
  console.log('held')
  await new Promise((resolve) => setTimeout(resolve, 600_000))
})
