import { createHash } from 'node:crypto'
import { TarBlocks, tarEnd } from '../../src/artifact/tar-blocks.js'

export interface GpkgParts {
  /** of image.tar.zst: nothing that could be unpacked */
  image?: string
  /** default: `hello-1-1` */
  directory?: string
  /** file → content, in their order, in place of what a package has */
  files?: Record<string, string>
  /** default: what Portage would write of the files */
  manifest?: string | null
}

/** A Gentoo binary package as Portage makes it, unsigned; its content is of no use. */
export function gpkg({ image = 'image', directory = 'hello-1-1', files, manifest }: GpkgParts = {}): Buffer {
  const all = files ?? { 'gpkg-1': '', 'metadata.tar.zst': `metadata of ${directory}`, 'image.tar.zst': image }
  const blocks = new TarBlocks()
  for (const [name, content] of Object.entries(all)) blocks.file(`${directory}/${name}`, content)
  if (manifest !== null) blocks.file(`${directory}/Manifest`, manifest ?? manifestOf(all))
  return Buffer.concat([blocks.bytes, tarEnd(blocks.bytes.length)])
}

export function manifestOf(files: Record<string, string>): string {
  return Object.entries(files)
    .map(([name, content]) => manifestLine(name, [Buffer.from(content)]))
    .join('')
}

/** @param pieces of the file's content */
export function manifestLine(name: string, pieces: readonly Buffer[]): string {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const [sha512, blake2b] = ['sha512', 'blake2b512'].map((algorithm) => {
    const sum = createHash(algorithm)
    for (const piece of pieces) sum.update(piece)
    return sum.digest('hex')
  })
  return `DATA ${name} ${size} SHA512 ${sha512} BLAKE2B ${blake2b}\n`
}
