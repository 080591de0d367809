import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A directory of its own with a `published` tree in it, readable for servers that are not root. */
export function scratch(): { directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'serve-'))
  mkdirSync(join(directory, 'root/published/.generations'), { recursive: true, mode: 0o755 })
  utimesSync(directory, 0, 0)
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** path → content, or a link's target after "-> " */
type Files = Record<string, string>

/** Makes a generation the way a publish does and swaps the tree's link to it. */
export function publishFiles(root: string, tree: string, serial: number, files: Files): void {
  const top = join(root, 'published/.generations', `${tree}.${serial}`)
  for (const [path, content] of Object.entries(files)) put(join(top, path), content, serial)
  const link = join(root, 'published', `.${tree}.tmp`)
  symlinkSync(`.generations/${tree}.${serial}`, link)
  renameSync(link, join(root, 'published', tree))
}

/** Writes a file with an mtime that differs for other content, or a symlink. */
export function put(path: string, content: string, stamp = 1): void {
  mkdirSync(dirname(path), { recursive: true })
  if (content.startsWith('-> ')) {
    symlinkSync(content.slice(3), path)
    return
  }
  writeFileSync(path, content)
  utimesSync(path, 1_000_000_000 + stamp, 1_000_000_000 + stamp)
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
