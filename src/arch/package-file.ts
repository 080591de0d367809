import { TarParser } from '../artifact/tar-parser.js'
import { unpackedLimit } from '../artifact/tar-policy.js'
import type { Policy } from '../artifact/tar-policy.js'
import type { TarSink } from '../artifact/tar-sink.js'
import { TreeswapError } from '../model/errors.js'
import { packageFileName, parseFileName } from '../model/pacman-package.js'
import type { PackageRecord } from '../model/pacman-package.js'
import type { Context } from '../model/report.js'
import { explainDiskError, targetStatusOf } from '../system/files.js'
import { compressionOf, decompressFile, isDamaged } from './decompress.js'
import { invalidPackage } from './invalid-package.js'
import { PackageSink } from './package-sink.js'

const GiB = 2 ** 30

/** A package is read here, and unpacked by pacman, whose business its links and setuid bits are. */
const policy: Partial<Policy> = {
  maxFileSize: 16 * GiB,
  maxBytes: 64 * GiB,
  attributes: true,
  linkMayLeave: () => true,
}

/**
 * Reads a package as makepkg writes it (.pkg.tar.zst, .xz or .gz, told apart by content) from its first byte to its
 * last, without unpacking it or holding it in memory.
 * @throws PACKAGE_INVALID, ABORTED, PROGRAM_MISSING
 */
export async function readPackageFile(path: string, context: Pick<Context, 'signal'>): Promise<PackageRecord> {
  const sink = new PackageSink((why) => invalidPackage(path, why))
  await readEntries(path, sink, context)
  return sink.record()
}

/**
 * Hands the entries of a package to a sink.
 * @throws PACKAGE_INVALID, ABORTED, PROGRAM_MISSING, and what the sink throws
 */
export async function readEntries(path: string, sink: TarSink, { signal }: Pick<Context, 'signal'>): Promise<void> {
  const invalid = (why: string, cause?: unknown): Error => invalidPackage(path, why, cause)
  const status = targetStatusOf(path)
  if (!status?.isFile()) throw invalid('it is no file')
  const compression = compressionOf(path)
  if (compression === undefined) throw invalid('it is compressed by none of zstd, xz and gzip')
  const limit = unpackedLimit(status.size)
  const parser = new TarParser(path, policy, sink)
  let unpacked = 0
  const take = (chunk: Buffer): void => {
    unpacked += chunk.length
    if (unpacked > limit) throw invalid(`it unpacks to more than ${limit} bytes, which no package of its size does`)
    parser.push(chunk)
  }
  try {
    await decompressFile(path, compression, take, signal)
    parser.end()
  } catch (error) {
    parser.abandon()
    const refused = error instanceof TreeswapError && error.code === 'ARCHIVE_REFUSED'
    if (refused || isDamaged(error)) throw invalid(error.message, error)
    throw explainDiskError(error, path)
  }
}

/**
 * Holds a file's name against what is in it: pacman goes by the name in the database, people by the one in the directory.
 * @throws PACKAGE_INVALID
 */
export function requireNamed({ info }: PackageRecord, fileName: string): void {
  const parsed = parseFileName(fileName)
  if (parsed === undefined) throw invalidPackage(fileName, 'its name is not NAME-VERSION-ARCH.pkg.tar.zst')
  const wanted = packageFileName(info, parsed.compression)
  if (fileName !== wanted) throw invalidPackage(fileName, `by its .PKGINFO it would have to be called ${wanted}`)
}
