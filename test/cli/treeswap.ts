import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../dist/treeswap.mjs', import.meta.url))
let compiled = false

/** For `before`: compiles the runner once for all tests that drive it. */
export function compile(): void {
  if (compiled) return
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/bundle.mjs', import.meta.url))])
  compiled = true
}

export interface Ended {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** Runs the compiled runner as users do; `watch` gets the process while it runs. */
export async function treeswap(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; watch?: (child: ChildProcess) => void } = {},
): Promise<Ended> {
  const { cwd, env, watch } = options
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (text.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (text.stderr += String(chunk)))
  watch?.(child)
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { exitCode, ...text }
}

/** The one document that a command printed with --json. */
export function documentOf({ stdout }: Ended): Record<string, unknown> & { error?: Record<string, string> } {
  return JSON.parse(stdout) as Record<string, unknown>
}
