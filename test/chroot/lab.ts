import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TreeswapError } from '../../src/model/errors.js'
import type { Context } from '../../src/model/report.js'
import { openRootService } from '../../src/chroot/root-service.js'
import type { RootService, RunRequest, Session } from '../../src/chroot/requests.js'
import { makeSmallRoot } from './small-root.js'

export interface Lab {
  top: string
  /** directory of the small root */
  source: string
  chroots: string
  service: RootService
  remove(): void
}

export function makeLab(): Lab {
  const top = mkdtempSync(join(tmpdir(), 'treeswap-chroot-'))
  const source = join(top, 'source')
  const chroots = join(top, 'chroots')
  makeSmallRoot(source)
  // uids that no other root of this host is likely to have, so that tests can tell their processes
  mkdirSync(chroots, { mode: 0o700 })
  const base = 524_288 + 65_536 * randomInt(1000, 20_000)
  writeFileSync(join(chroots, '.uid-ranges.json'), JSON.stringify({ next: base }))
  return { top, source, chroots, service: openRootService(chroots), remove: () => rmSync(top, { recursive: true }) }
}

export function makeContext(): Context & { warnings: string[]; abort: () => void } {
  const controller = new AbortController()
  const warnings: string[] = []
  return {
    warnings,
    signal: controller.signal,
    abort: () => controller.abort(),
    report: {
      step: () => undefined,
      progress: () => undefined,
      line: () => undefined,
      warn: (text) => void warnings.push(text),
    },
  }
}

export function request(argv: string[], more: Partial<RunRequest> = {}): RunRequest {
  return { argv, env: {}, binds: [], network: false, limits: {}, ...more }
}

/** Runs a script by the container's sh. */
export async function shell(
  session: Session,
  script: string,
  more: Partial<RunRequest> = {},
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = []
  const code = await session.run(request(['/bin/sh', '-c', script], more), (line) => lines.push(line))
  return { code, lines }
}

/** The code of the error that `action` ends with. */
export async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action
    return 'no error'
  } catch (error) {
    if (error instanceof TreeswapError) return error.code
    throw error
  }
}
