import { dirname, join } from 'node:path'
import { humanBytes } from '../model/quantity.js'
import { exists, isDirectory, statFileSystem, statusOf } from '../system/files.js'
import { fail, ok, warn } from './finding.js'
import type { Finding, Role } from './finding.js'

interface FileSystem {
  name: string
  /** hard links of one file; undefined: practically unlimited */
  links?: number
  /** whether hard links exist and renames are atomic */
  fit: boolean
}

/** By statfs(2) f_type. Link limits as the kernel's sources and measurements say. */
const fileSystems: Record<number, FileSystem> = {
  0xef53: { name: 'ext4', links: 65_000, fit: true },
  0x58465342: { name: 'xfs', fit: true },
  0x9123683e: { name: 'btrfs', links: 65_535, fit: true },
  0x2fc12fc1: { name: 'zfs', fit: true },
  0xf2f52010: { name: 'f2fs', fit: true },
  0x01021994: { name: 'tmpfs', fit: true },
  0x794c7630: { name: 'overlayfs', fit: true },
  0x6969: { name: 'nfs', fit: false },
  0xff534d42: { name: 'cifs', fit: false },
  0xfe534d42: { name: 'smb', fit: false },
  0x65735546: { name: 'fuse', fit: false },
  0x4d44: { name: 'vfat', fit: false },
}

const inMemory = new Set(['tmpfs'])

/** The file system that holds, or will hold, a directory. */
export function checkFileSystem(role: Role, what: string, directory: string): Finding[] {
  const place = nearestExisting(directory)
  if (!isDirectory(place))
    return [fail(role, what, `${place} is no directory`, 'choose another directory, or move it away')]
  const { type, bavail, bsize, ffree, files } = statFileSystem(place)
  const known = fileSystems[type]
  const name = known?.name ?? `type 0x${type.toString(16)}`
  const where = `${directory} on ${name}`
  const findings = [fitness(role, what, where, known)]
  const free = bavail * bsize
  const space = `${humanBytes(free)} free${files === 0 ? '' : `, ${ffree} inodes`} at ${place}`
  const low = free < 5 * 2 ** 30 || (files !== 0 && ffree < 500_000)
  findings.push(
    low
      ? warn(role, `${what}: space`, space, 'a tree takes about 130,000 files in 30,000 directories: make room')
      : ok(role, `${what}: space`, space),
  )
  if (role === 'publish') findings.push(...oneFileSystem(directory))
  return findings
}

function fitness(role: Role, what: string, where: string, known: FileSystem | undefined): Finding {
  if (known === undefined)
    return warn(role, what, `${where}: not known to treeswap`, 'ext4, xfs, btrfs and zfs are known to do')
  if (!known.fit) {
    return fail(
      role,
      what,
      `${where}: no hard links or renames that can be relied on`,
      'use a local ext4, xfs, btrfs or zfs',
    )
  }
  if (inMemory.has(known.name)) return warn(role, what, `${where}: it is empty after a restart`, 'use a disk')
  const limit =
    known.links === undefined
      ? 'links of one file are not limited'
      : `${known.links} links of one file; beyond that files are copied`
  return ok(role, what, role === 'publish' ? `${where}, ${limit}` : where)
}

/** Generations are hard links of objects: both have to be on one file system. */
function oneFileSystem(root: string): Finding[] {
  const [objects, published] = [join(root, 'objects'), join(root, 'published')].map((path) => statusOf(path)?.dev)
  if (objects === undefined || published === undefined) return []
  return objects === published
    ? [ok('publish', 'hard links', 'objects and generations are on one file system')]
    : [
        fail(
          'publish',
          'hard links',
          'objects/ and published/ are on two file systems: every file of every generation is a copy',
          `unmount one of them, so that all of ${root} is one file system`,
        ),
      ]
}

function nearestExisting(path: string): string {
  return exists(path) || path === dirname(path) ? path : nearestExisting(dirname(path))
}
