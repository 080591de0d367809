import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** sha256 in hex of what is in memory. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content)
}

/** sha256 in hex of a file's content. */
export async function sha256OfFile(path: string): Promise<string> {
  const sum = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) sum.update(chunk as Buffer)
  return sum.digest('hex')
}

/** A sum that grows with the data. */
export function sha256Sum(): { update(chunk: Uint8Array): unknown; digest(encoding: 'hex'): string } {
  return createHash('sha256')
}

/** Several sums of the same data, in hex, by their names in OpenSSL. */
export function sumsOf<Name extends string>(
  ...names: readonly Name[]
): { update(chunk: Uint8Array): void; digest(): Record<Name, string> } {
  const sums = names.map((name) => [name, createHash(name)] as const)
  return {
    update: (chunk) => sums.forEach(([, sum]) => sum.update(chunk)),
    digest: () => Object.fromEntries(sums.map(([name, sum]) => [name, sum.digest('hex')])) as Record<Name, string>,
  }
}
