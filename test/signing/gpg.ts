import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface GpgHome {
  path: string
  /** runs gpg and returns its output; throws where it fails */
  run(args: readonly string[], input?: string | Buffer): string
  /** keywords of gpg's status lines (doc/DETAILS of GnuPG) for a detached signature */
  verify(signature: Buffer, content: Buffer): string[]
}

/** A home of gpg's own for each suite; its agent ends with it. */
export function gpgHome(): () => GpgHome {
  let home: GpgHome
  before(() => {
    home = openHome(mkdtempSync(join(tmpdir(), 'gpg-')))
  })
  after(() => {
    closeHome(home)
  })
  return () => home
}

export function openHome(path: string): GpgHome {
  const base = ['--homedir', path, '--batch', '--no-tty', '--quiet']
  return {
    path,
    run: (args, input) =>
      execFileSync('gpg', [...base, ...args], {
        encoding: 'utf8',
        input: input ?? '',
        stdio: ['pipe', 'pipe', 'ignore'],
      }),
    verify(signature, content) {
      const files = [join(path, 'signature'), join(path, 'content')] as const
      writeFileSync(files[0], signature)
      writeFileSync(files[1], content)
      const { stdout } = spawnSync('gpg', [...base, '--status-fd', '1', '--verify', ...files], { encoding: 'utf8' })
      return statuses(stdout)
    },
  }
}

export function closeHome({ path }: GpgHome): void {
  spawnSync('gpgconf', ['--homedir', path, '--kill', 'all'])
  rmSync(path, { recursive: true, force: true })
}

function statuses(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('[GNUPG:] '))
    .map((line) => line.split(' ')[1]!)
}
