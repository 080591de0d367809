import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The host's /usr as a root of its own, in which nothing that is changed outlives the run: pacman with its scriptlets
 * and hooks, and pacman-key, which reads keyrings where Arch's does (Debian's has another directory).
 * @param steps shell commands, each run in the root; `/given` is the directory with files for them
 * @returns what they wrote
 */
export function inClientRoot(
  directory: string,
  given: string,
  steps: readonly string[],
): { code: number | null; output: string } {
  const root = join(directory, 'root')
  for (const path of [
    'usr',
    'dev',
    'proc',
    'tmp',
    'given',
    'etc/pacman.d',
    'etc/alternatives',
    'root',
    'var/lib/pacman',
    'var/cache/pacman/pkg',
    'var/log',
  ]) {
    mkdirSync(join(root, path), { recursive: true })
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name))
  writeFileSync(join(root, 'etc/pacman.conf'), '[options]\nArchitecture = auto\nLocalFileSigLevel = Required\n')
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n')
  const layers = join(directory, 'layers')
  mkdirSync(layers)
  const script = [
    `mount -t tmpfs none ${layers}`,
    `mkdir ${layers}/upper ${layers}/work`,
    `mount -t overlay -o lowerdir=/usr,upperdir=${layers}/upper,workdir=${layers}/work none ${root}/usr`,
    `mount --rbind /dev ${root}/dev`,
    `mount -t proc proc ${root}/proc`,
    `mount --bind ${given} ${root}/given`,
    `mount --bind /etc/alternatives ${root}/etc/alternatives`,
    `sed -i "s|^\\(.*KEYRING_IMPORT_DIR=\\).*|\\1'/usr/share/pacman/keyrings'|" ${root}/usr/bin/pacman-key`,
    `exec chroot ${root} env -i PATH=/usr/sbin:/usr/bin LC_ALL=C HOME=/root sh -e -c "$1"`,
  ].join(' && ')
  const isolated = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private']
  const { status, stdout, stderr } = spawnSync('unshare', [...isolated, 'sh', '-c', script, 'sh', steps.join('\n')], {
    encoding: 'utf8',
  })
  return { code: status, output: stdout + stderr }
}

export function vercmp(a: string, b: string): number {
  return Number(execFileSync('vercmp', [a, b], { encoding: 'utf8' }))
}
