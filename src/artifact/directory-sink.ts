import type { FileEntry } from '../model/manifest.js'
import { objectKey, objectMtime } from '../model/object-key.js'
import { chmod, close, copyFile, makeOneDirectory, open, setTimes, symlink, write, writeNew } from '../system/files.js'
import type { LargeFile, TarSink } from './read-tar.js'

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
      writeNew(place(entry.path), content, modeOf(entry.executable))
      finish(place(entry.path), entry)
    },
    largeFile: (path, executable) => writeLargeFile(place(path), executable),
    duplicate(entry, original) {
      copyFile(place(original.path), place(entry.path))
      finish(place(entry.path), entry)
    },
  }
}

function writeLargeFile(path: string, executable: boolean): LargeFile {
  const file = open(path, 'wx', modeOf(executable))
  return {
    write(chunk) {
      for (let done = 0; done < chunk.length;) done += write(file, chunk, done)
    },
    end(entry) {
      close(file)
      finish(path, entry)
    },
    abandon: () => close(file),
  }
}

function modeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644
}

/** Mode whatever the umask is, and the time that the same content has everywhere. */
function finish(path: string, { sha256, executable }: FileEntry): void {
  const mtime = objectMtime(objectKey(sha256, executable))
  chmod(path, modeOf(executable))
  setTimes(path, mtime, mtime)
}
