import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, linkSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const programs =
  'sh cat chmod chown find head id install ln ls mkdir mknod mount mv rm setpriv sleep stat touch tr unshare yes'

/**
 * A stage3-shaped root of a few megabytes, made of this host's own programs: relative make.profile link, a hard link,
 * setuid and setgid files, a file capability, a device node's directory.
 * @param more further programs of this host
 */
export function makeSmallRoot(directory: string, more: readonly string[] = []): void {
  for (const each of ['usr/bin', 'usr/lib64', 'etc/portage', 'dev', 'proc', 'sys', 'run', 'tmp', 'var/tmp', 'root']) {
    mkdirSync(join(directory, each), { recursive: true })
  }
  for (const [name, target] of Object.entries({
    bin: 'usr/bin',
    sbin: 'usr/bin',
    lib: 'usr/lib',
    lib64: 'usr/lib64',
  })) {
    symlinkSync(target, join(directory, name))
  }
  for (const program of [...programs.split(' '), ...more]) {
    const path = realpathSync(execFileSync('which', [program], { encoding: 'utf8' }).trim())
    copyFileSync(path, join(directory, 'usr/bin', program))
    for (const library of librariesOf(path)) copyLibrary(library, directory)
  }
  chmodSync(join(directory, 'tmp'), 0o1777)
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nbuilder:x:1000:1000::/tmp:/bin/sh\n')
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\nbuilder:x:1000:\n')
  symlinkSync('../../var/db/repos/gentoo/profiles/default', join(directory, 'etc/portage/make.profile'))
  linkSync(join(directory, 'usr/bin/cat'), join(directory, 'usr/bin/cat-linked'))
  copyFileSync(join(directory, 'usr/bin/id'), join(directory, 'usr/bin/id-setuid'))
  chmodSync(join(directory, 'usr/bin/id-setuid'), 0o4755)
  copyFileSync(join(directory, 'usr/bin/cat'), join(directory, 'usr/bin/cat-capable'))
  // cap_net_raw=ep as in linux/capability.h: version 2, effective; permitted bit 13; the rest empty
  const capability = '0x0100000200200000000000000000000000000000'
  execFileSync('setfattr', ['-n', 'security.capability', '-v', capability, join(directory, 'usr/bin/cat-capable')])
  execFileSync('mknod', [join(directory, 'dev/null'), 'c', '1', '3'])
}

function librariesOf(program: string): string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...text.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!)
}

function copyLibrary(path: string, directory: string): void {
  const to = join(directory, path.startsWith('/usr/') ? path : `/usr${path}`)
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(path, to)
}
