import type { FileEntry } from '../model/manifest.js'
import { modeOf, objectKey, objectMtime } from '../model/object-key.js'
import {
  chmod,
  close,
  copyFile,
  makeOneDirectory,
  open,
  setTimes,
  symlink,
  writeAll,
  writeNew,
} from '../system/files.js'
import type { LargeFile, TarSink } from './tar-sink.js'

/** Writes what it is given below an empty directory. Paths are as safe as TarSink promises. */
export function directorySink(top: string): TarSink {
  const place = (path: string): string => `${top}/${path}`
  return {
    directory(path) {
      makeOneDirectory(place(path))
      chmod(place(path), 0o755)
    },
    symlink: (path, target) => symlink(target, place(path)),
    file(entry, content) {
      writeNew(place(entry.path), content)
      finish(place(entry.path), entry)
    },
    largeFile: (path) => writeLargeFile(place(path)),
    duplicate(entry, original) {
      copyFile(place(original.path), place(entry.path))
      finish(place(entry.path), entry)
    },
  }
}

function writeLargeFile(path: string): LargeFile {
  const file = open(path, 'wx', 0o644)
  return {
    write: (chunk) => writeAll(file, chunk),
    end(entry) {
      close(file)
      finish(path, entry)
    },
    abandon: () => close(file),
  }
}

/** Mode whatever the umask is, and the time that the same content has everywhere. */
function finish(path: string, { sha256, executable }: FileEntry): void {
  const key = objectKey(sha256, executable)
  const mtime = objectMtime(key)
  chmod(path, modeOf(key))
  setTimes(path, mtime, mtime)
}
