import { execFileSync } from 'node:child_process'
import { archive, directory } from '../artifact/tar-builder.js'

/** What a package is made of, where nothing else is said. */
export interface PackageParts {
  /** pkgver-pkgrel, with an epoch where it has one */
  version?: string
  architecture?: string
  base?: string
  depends?: string[]
  /** pkgtype */
  type?: string
  /** installed as /usr/share/NAME/content */
  content?: string
}

/** A package file as makepkg writes it, small; equal parts give equal bytes. */
export function pacmanPackage(name: string, parts: PackageParts = {}): { file: string; bytes: Buffer } {
  const { version = '1.0-1', architecture = 'any', base = name, depends = [], type = 'pkg', content = name } = parts
  const info = [
    `pkgname = ${name}`,
    `pkgbase = ${base}`,
    `xdata = pkgtype=${type}`,
    `pkgver = ${version}`,
    'pkgdesc = A package for tests',
    'url = https://example.org',
    'builddate = 1700000000',
    'packager = Nobody <nobody@example.org>',
    `size = ${Buffer.byteLength(content)}`,
    `arch = ${architecture}`,
    ...depends.map((dependency) => `depend = ${dependency}`),
  ]
  const tar = archive(
    { name: '.PKGINFO', content: `${info.join('\n')}\n` },
    directory('usr/'),
    directory('usr/share/'),
    directory(`usr/share/${name}/`),
    { name: `usr/share/${name}/content`, content },
  )
  const bytes = execFileSync('zstd', ['-q', '-c', '-T1'], { input: tar })
  return { file: `${name}-${version}-${architecture}.pkg.tar.zst`, bytes }
}
