import type { Context } from 'mocha'

/** For `before`: skips the suite where it cannot run, and says why. */
export function needsRoot(this: Context): void {
  if (process.getuid?.() === 0) return
  console.log('      needs root (chroots, mounts): run the tests as root to include it')
  this.skip()
}
