import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { revokeKey } from 'openpgp'
import { keyringPackage } from '../../src/arch/keyring-package.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { needsPacman } from '../lab/host-pacman.js'
import { pacmanPackage } from '../lab/pacman-package.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { inClientRoot } from './client-root.js'
import { makeKey } from './keys.js'
import type { MadeKey } from './keys.js'

const packager = 'Nobody <nobody@example.org>'

describe('a keyring package on a client', function () {
  this.timeout(300_000)
  before(needsRoot)
  before(needsPacman)
  const directory = temporaryDirectory()
  const put = (name: string, bytes: Buffer | string): void => writeFileSync(join(directory(), name), bytes)
  const make = (name: string, wishes = {}): Promise<MadeKey> => makeKey(join(directory(), 'keys'), { name, ...wishes })

  /** a package of its own name, signed by a key */
  async function signed(name: string, { config }: MadeKey): Promise<Buffer> {
    const { bytes } = pacmanPackage(name)
    put(`${name}.pkg.tar.zst`, bytes)
    put(`${name}.pkg.tar.zst.sig`, await (await openSigner(config, silent)).detached(() => bytes))
    return bytes
  }

  it('makes pacman accept what trusted keys signed, and nothing else', async () => {
    const [main, next, old, stranger] = [await make('main'), await make('next'), await make('old'), await make('other')]
    const keyring = await keyringPackage('box', [main.config, next.config], [], packager)
    put('keyring.pkg.tar.zst', keyring.bytes)
    const later = await keyringPackage('box', [main.config], [old.config, next.config], packager)
    put('later.pkg.tar.zst', later.bytes)
    for (const [name, key] of Object.entries({ main, next, old, stranger })) await signed(name, key)
    const altered = await signed('altered', main)
    put('altered.pkg.tar.zst', Buffer.concat([altered, Buffer.from('x')]))
    put('unsigned.pkg.tar.zst', altered)

    const install = (name: string): string =>
      `pacman -U --noconfirm /given/${name}.pkg.tar.zst >/tmp/out 2>&1 && echo "${name}: installed" || echo "${name}: $(grep -m1 error: /tmp/out)"`
    const first = `sed -i s/Required/Optional/ /etc/pacman.conf; pacman -U --noconfirm /given/keyring.pkg.tar.zst; sed -i s/Optional/Required/ /etc/pacman.conf`
    const { code, output } = inClientRoot(directory(), directory(), [
      'pacman-key --init 2>&1',
      install('main'),
      first,
      'cat /usr/share/pacman/keyrings/box-trusted',
      ...['main', 'next', 'stranger', 'old', 'altered', 'unsigned'].map(install),
      'sed -i s/Required/Optional/ /etc/pacman.conf; pacman -U --noconfirm /given/later.pkg.tar.zst; sed -i s/Optional/Required/ /etc/pacman.conf',
      'pacman -Rn --noconfirm main next',
      'echo LATER',
      ...['main', 'next', 'old'].map(install),
    ])
    expect(code, output).to.equal(0)
    const [before, after] = output.split('LATER') as [string, string]
    expect(before).to.match(/main: .*error[^]*main: installed/)
    expect(before).to.include(`${main.config.fingerprint}:4:\n`)
    expect(before).to.include('next: installed')
    for (const name of ['stranger', 'old', 'altered', 'unsigned'])
      expect(before).to.match(new RegExp(`${name}: .*error`))
    expect(after).to.include('main: installed')
    expect(after)
      .to.match(/next: error/)
      .and.to.match(/old: error/)
  })

  it('makes pacman refuse what a revoked or expired key signed', async () => {
    const [main, gone] = [await make('main'), await make('gone')]
    const soon = await make('soon', { age: 1, days: 2 })
    for (const [name, key] of Object.entries({ main, gone, soon })) await signed(name, key)
    put('keyring.pkg.tar.zst', (await keyringPackage('box', [main.config, soon.config], [], packager)).bytes)
    const { publicKey } = await revokeKey({ key: gone.secretKey, format: 'armored' })
    writeFileSync(gone.config.publicFile, publicKey)
    put('revoking.pkg.tar.zst', (await keyringPackage('box', [main.config], [gone.config], packager)).bytes)
    const verify = (name: string): string =>
      `pacman-key --verify /given/${name}.pkg.tar.zst.sig >/dev/null 2>&1 && echo "${name}: good" || echo "${name}: refused"`
    const { code, output } = inClientRoot(directory(), directory(), [
      'sed -i s/Required/Optional/ /etc/pacman.conf',
      'pacman-key --init 2>&1',
      'pacman -U --noconfirm /given/keyring.pkg.tar.zst 2>&1',
      ...['main', 'soon', 'gone'].map(verify),
      'pacman -U --noconfirm /given/revoking.pkg.tar.zst 2>&1',
      'sed -i s/Optional/Required/ /etc/pacman.conf',
      'pacman -U --noconfirm /given/main.pkg.tar.zst',
      'pacman -U --noconfirm /given/gone.pkg.tar.zst && exit 3',
      `echo 'faked-system-time ${(Date.now() / 1000 + 3 * 86_400).toFixed(0)}' >> /etc/pacman.d/gnupg/gpg.conf`,
      'pacman -U --noconfirm /given/main.pkg.tar.zst',
      'pacman -U --noconfirm /given/soon.pkg.tar.zst && exit 4',
      'echo END',
    ])
    expect(code, output).to.equal(0)
    expect(output).to.include('main: good').and.to.include('soon: good').and.to.include('gone: refused')
    expect(output).to.include('END')
  })

  it('can be installed where there is no pacman-key, or none that was made ready', async () => {
    const main = await make('main')
    put('keyring.pkg.tar.zst', (await keyringPackage('box', [main.config], [], packager)).bytes)
    const { code, output } = inClientRoot(directory(), directory(), [
      'sed -i s/Required/Never/ /etc/pacman.conf',
      'pacman -U --noconfirm /given/keyring.pkg.tar.zst 2>&1',
      'pacman -Qkk box-keyring 2>&1',
      'rm /usr/bin/pacman-key',
      'pacman -U --noconfirm /given/keyring.pkg.tar.zst 2>&1',
    ])
    expect(code, output).to.equal(0)
    expect(output).not.to.include('error').and.not.to.include('command failed')
  })
})
