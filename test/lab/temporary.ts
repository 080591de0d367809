import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A directory for each test of a suite, removed afterwards: `const directory = temporaryDirectory()`. */
export function temporaryDirectory(): () => string {
  let path = ''
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'treeswap-test-'))
  })
  afterEach(() => {
    rmSync(path, { recursive: true, force: true })
  })
  return () => path
}

/** Writes files below `top`: relative path → content. */
export function writeFiles(top: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, path)), { recursive: true })
    writeFileSync(join(top, path), content)
  }
}
