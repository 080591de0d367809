/**
 * Names an object of the store: the sha256 of its content in hex, followed by `x` when it is executable.
 * 0644 and 0755 are two objects, because hard links of one file share their mode.
 */
export type ObjectKey = string

export function objectKey(sha256: string, executable: boolean): ObjectKey {
  return executable ? `${sha256}x` : sha256
}

/** Permissions of an object's file. */
export function modeOf(key: ObjectKey): number {
  return key.endsWith('x') ? 0o755 : 0o644
}

export function sha256Of(key: ObjectKey): string {
  return key.slice(0, 64)
}

const EPOCH = Date.UTC(2001, 0, 1) / 1000

/**
 * Modification time of an object, in seconds: 2001-01-01 + 29 bits of the hash (17 years).
 * rsync compares size and mtime only, so two contents of equal size must not share an mtime at one path.
 */
export function objectMtime(key: ObjectKey): number {
  return EPOCH + (parseInt(key.slice(0, 8), 16) & 0x1fffffff)
}
