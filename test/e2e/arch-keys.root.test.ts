import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { compile } from '../cli/treeswap.js'
import { needsRoot } from '../lab/needs-root.js'
import { makeSigningKey } from '../lab/signing-key.js'
import type { SigningKey } from '../lab/signing-key.js'
import { ArchSite, recipe } from './arch-site.js'

const sources = 'repositories: [{ url: PATH/git/recipes }]'

describe('a pacman repo that is to be signed from now on', function () {
  this.timeout(600_000)
  before(needsRoot)
  before(compile)
  let site: ArchSite
  const keys: Record<string, SigningKey> = {}
  before(async () => {
    site = await ArchSite.create(sources)
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha') })
    for (const name of ['release', 'second']) keys[name] = await makeSigningKey(site.directory, name)
  })
  after(() => ArchSite.removeAll())

  const configure = (settings: string): void => {
    site.configure(`${sources}\n${settings}`)
    const file = site.path('treeswap.yaml')
    const named = Object.entries(keys).map(([name, key]) => `  ${name}: ${JSON.stringify(key)}\n`)
    writeFileSync(file, `${readFileSync(file, 'utf8')}keys:\n${named.join('')}`)
  }
  const served = (): string[] => readdirSync(site.path('srv/published/own/os/x86_64'))
  const builds = (): string[] => readdirSync(site.path('builder/artifacts/own')).sort()

  it('gets the package with the keys while it is unsigned, and is signed only then', async () => {
    await site.run()
    configure('sign: release')
    const early = await site.run()
    expect(early.error, early.told.join('\n')).to.include({ code: 'KEY_NOT_ANNOUNCED' })
    expect(early.exitCode).to.equal(13)

    configure('trust: [release]')
    const run = await site.run()
    expect(run, run.told.join('\n')).to.deep.include({ status: 'built', number: 2, exitCode: 0 })
    expect(run.recipes.map(({ base }) => base)).to.deep.equal(['own-keyring'])
    expect(served().filter((name) => name.startsWith('own-keyring-'))).to.have.length(1)
    expect(served().filter((name) => name.endsWith('.sig'))).to.deep.equal([])
    const printed = await site.start(['config', 'pacman', 'own'])
    expect(JSON.stringify(printed.document())).to.include('own-keyring').and.to.include('Optional TrustAll')

    configure('sign: second\ntrust: [release, second]')
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '2.0' }) })
    const refused = await site.run()
    expect(refused.error?.code).to.equal('KEY_NOT_ANNOUNCED')
    expect(refused.error?.message).to.include(keys.second!.fingerprint)
    expect(refused.error?.hint).to.include('pacman.own.trust').and.to.include('--new-key')
    expect(builds(), 'it is refused before anything is built').to.deep.equal(['1', '2'])

    configure('sign: release')
    const signed = await site.run()
    expect(signed, signed.told.join('\n')).to.deep.include({ status: 'built', number: 3, exitCode: 0 })
    expect(served()).to.include.members(['own.db.sig', 'own.gpg', 'alpha-2.0-1-any.pkg.tar.zst.sig'])
  })

  it('is unsigned again where that is asked for, and says what the configuration and clients still have', async () => {
    const { exitCode, told } = await site.start(['publish', 'own', '--unsigned'])
    expect(exitCode).to.equal(0)
    expect(told.join('\n')).to.include('still has own signed').and.to.include('rm -f /var/lib/pacman/sync/own.*.sig')
    expect(served().filter((name) => name.startsWith('alpha-2.0') || name.startsWith('own.'))).to.deep.equal([
      'alpha-2.0-1-any.pkg.tar.zst',
      'own.db',
      'own.files',
    ])
    const { trees } = (await site.start(['status', 'own'])).document() as { trees: { key?: unknown }[] }
    expect(trees[0]?.key).to.deep.equal({ fingerprint: keys.release!.fingerprint, expires: null })
    const insisted = await site.start(['publish', 'own', '--new-key'])
    expect(insisted.document()).to.include({ signed: keys.release!.fingerprint })
  })
})
