import type { PackageRecord } from '../model/pacman-package.js'

/** A package of a repo: what is in its file, and the file itself. */
export interface DatabaseEntry {
  record: PackageRecord
  /** name of the package file */
  file: string
  /** bytes */
  size: number
  /** hex */
  sha256: string
  /** hex; pacman needs none where there is a sha256 */
  md5?: string
  /** binary detached signature of the file; pacman then needs no .sig beside it */
  signature?: Buffer
}

/**
 * The `desc` of a package in a database: `%KEY%`, its values, an empty line; what has no value is left out (alpm,
 * be_sync.c, sync_db_read; order and fields as repo-add writes them).
 */
export function descText({ record: { info }, file, size, sha256, md5, signature }: DatabaseEntry): string {
  return (
    one('FILENAME', file) +
    one('NAME', info.name) +
    one('BASE', info.base) +
    one('VERSION', info.version) +
    one('DESC', info.description) +
    many('GROUPS', info.groups) +
    one('CSIZE', size) +
    one('ISIZE', info.installedSize) +
    one('MD5SUM', md5) +
    one('SHA256SUM', sha256) +
    one('PGPSIG', signature?.toString('base64')) +
    one('URL', info.url) +
    many('LICENSE', info.licenses) +
    one('ARCH', info.architecture) +
    one('BUILDDATE', info.buildDate) +
    one('PACKAGER', info.packager) +
    many('REPLACES', info.replaces) +
    many('CONFLICTS', info.conflicts) +
    many('PROVIDES', info.provides) +
    many('DEPENDS', info.depends) +
    many('OPTDEPENDS', info.optDepends) +
    many('MAKEDEPENDS', info.makeDepends) +
    many('CHECKDEPENDS', info.checkDepends)
  )
}

/** The `files` of a package in a files database. */
export function filesText({ record: { files } }: DatabaseEntry): string {
  return files.length === 0 ? '%FILES%\n' : `%FILES%\n${files.join('\n')}\n`
}

function one(key: string, value: string | number | undefined): string {
  return value === undefined ? '' : `%${key}%\n${value}\n\n`
}

function many(key: string, values: string[]): string {
  return values.length === 0 ? '' : `%${key}%\n${values.join('\n')}\n\n`
}
