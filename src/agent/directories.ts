import { join } from 'node:path'

/** Where the builder keeps what it works with, below `builder.directory`. */
export interface BuilderDirectories {
  chroots: string
  /** clones of ebuild repos, profiles and recipes */
  git: string
  /** unpacked ebuild repo snapshots, by content */
  snapshots: string
  /** finished binary packages by tree */
  packages: string
  /** sources by chroot: each root has its own users */
  distfiles: string
  /** what recipes say of themselves, by content */
  srcinfo: string
  /** what package files say, by content */
  records: string
  /** which libraries roots were found to lack, by pacman repo */
  libraries: string
  /** what was tried of trees, and is not tried again at every poll */
  tried: string
  work: string
  /** of the last run of each machine, whether it succeeded or not */
  logs: string
  locks: string
}

export function builderDirectories(directory: string): BuilderDirectories {
  return {
    chroots: join(directory, 'chroots'),
    git: join(directory, 'git'),
    snapshots: join(directory, 'snapshots'),
    packages: join(directory, 'packages'),
    distfiles: join(directory, 'distfiles'),
    srcinfo: join(directory, 'srcinfo'),
    records: join(directory, 'records'),
    libraries: join(directory, 'libraries'),
    tried: join(directory, 'tried'),
    work: join(directory, 'work'),
    logs: join(directory, 'logs'),
    locks: join(directory, 'locks'),
  }
}
