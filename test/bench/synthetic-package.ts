import { createHash } from 'node:crypto'
import type { DatabaseEntry } from '../../src/arch/database.js'
import { packageFileName } from '../../src/model/pacman-package.js'

/** A package of a repo, shaped like one of Arch Linux, with about 20 files; the same for the same index. */
export function syntheticEntry(index: number): DatabaseEntry {
  const noise = (what: string, algorithm = 'sha256'): string =>
    createHash(algorithm).update(`${what} ${index}`).digest('hex')
  const name = `${noise('name').slice(0, 8)}-package-${index}`
  const info = {
    ...{ name, base: name, version: `${index % 30}.${index % 7}.${index % 11}-${1 + (index % 3)}` },
    ...{ description: `Program number ${index} for ${noise('description').slice(0, 24)}`, architecture: 'x86_64' },
    ...{
      url: `https://${noise('host').slice(0, 12)}.example.org/${name}`,
      packager: 'Packager <packager@example.org>',
    },
    ...{ buildDate: 1_600_000_000 + index * 1009, installedSize: 4096 * (index + 3) },
    ...{ groups: [], licenses: ['GPL'], replaces: [], conflicts: [`${name}-git`], provides: [`lib${index}.so=1-64`] },
    ...{ depends: ['glibc', 'gcc-libs', `package-${index + 1}>=1.${index % 9}`], optDepends: ['python: for scripts'] },
    ...{ makeDepends: ['meson', 'git'], checkDepends: [] },
  }
  const files = Array.from({ length: 14 }, (_, number) => `usr/share/${name}/${noise(String(number)).slice(0, 10)}`)
  const fixed = ['usr/', 'usr/bin/', `usr/bin/${name}`, 'usr/lib/', `usr/lib/lib${index}.so.1`, 'usr/share/']
  return {
    record: {
      info,
      files: [...fixed, `usr/share/${name}/`, ...files.sort()],
      libraries: [`lib${index}.so.1=64`],
      needs: ['libc.so.6=64'],
    },
    file: packageFileName(info),
    size: 1000 + index * 997,
    sha256: noise('content'),
    md5: noise('content', 'md5'),
  }
}
