import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { buildSync } from 'esbuild'

export interface Ended {
  code: number | null
  output: string
}

/** For `before`: skips the suite where system calls cannot be tampered with, and says so. */
export function needsStrace(this: Context): void {
  if (spawnSync('strace', ['-f', '-e', 'inject=fsync:error=EIO', 'true']).status === 0) return
  console.log('      needs strace, and leave to trace processes: install it to include this')
  this.skip()
}

/** Compiles the driver into one file, so that each of its many runs starts fast. */
export function compileDriver(directory: string, entry = join(import.meta.dirname, 'driver.ts')): string {
  const outfile = join(directory, 'driver.mjs')
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    banner: { js: "import { createRequire as banner } from 'node:module'; const require = banner(import.meta.url);" },
  })
  return outfile
}

/**
 * Runs the driver and tampers with a system call at its Nth use.
 * @param injection in the words of strace(1): `rename:signal=KILL:when=3`
 */
export async function runTampered(driver: string, injection: string, args: readonly string[]): Promise<Ended> {
  const calls = injection.split(':')[0] ?? ''
  const strace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${injection}`]
  const child = spawn('strace', [...strace, process.execPath, driver, ...args])
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code: signal === null ? code : null, output }))
  })
}
