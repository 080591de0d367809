import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { keyringPackage } from '../../src/arch/keyring-package.js'
import type { RecipeRecord } from '../../src/model/recipes.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import type { MadeKey } from '../signing/keys.js'
import { archiveRepo } from '../store/repo.js'
import { compile, documentOf, treeswap } from './treeswap.js'

describe('treeswap keyring', function () {
  this.timeout(60_000)
  before(compile)
  const directory = temporaryDirectory()

  const configure = (made: Record<string, MadeKey>, trust: string[], revoke: string[]): void => {
    const keys = Object.entries(made).map(([name, { config }]): [string, object] => [
      name,
      { fingerprint: config.fingerprint, public: `${name}.asc` },
    ])
    const repo = { repositories: [{ url: 'https://git.example.org/recipes.git' }], trust, revoke }
    const pacman = { box: repo }
    const configuration = { schema: 1, publisher: { root: 'store' }, chroots: { box: {} }, pacman }
    const text = JSON.stringify({ ...configuration, keys: Object.fromEntries(keys) })
    writeFileSync(join(directory(), 'treeswap.yaml'), text)
  }

  it('writes the package of the keys that the configuration names', async () => {
    const [main, old] = [await makeKey(directory(), { name: 'main' }), await makeKey(directory(), { name: 'old' })]
    configure({ main, old }, ['main'], ['old'])
    const ended = await treeswap(['keyring', 'box', '--out', 'new/out', '--json'], { cwd: directory() })
    expect(ended.exitCode, ended.stderr).to.equal(0)
    const document = documentOf(ended)
    expect(document).to.include({ tree: 'box', package: 'box-keyring' })
    expect(readdirSync(join(directory(), 'new/out'))).to.deep.equal([
      `box-keyring-${String(document.version)}-any.pkg.tar.zst`,
    ])
    const content = (end: string): string =>
      execFileSync('bsdtar', ['-xOf', String(document.path), `usr/share/pacman/keyrings/box${end}`], {
        encoding: 'utf8',
      })
    expect(content('-trusted')).to.equal(`${main.config.fingerprint}:4:\n`)
    expect(content('-revoked')).to.equal(`${old.config.fingerprint}\n`)
    const first = readFileSync(String(document.path))
    await treeswap(['keyring', '--out', 'again'], { cwd: directory() })
    expect(
      readFileSync(join(directory(), 'again', readdirSync(join(directory(), 'again'))[0]!)).equals(first),
    ).to.equal(true)
  })

  it('is what publish and rollback warn of where the build has another one than the configuration says', async () => {
    const [main, next] = [await makeKey(directory(), { name: 'main' }), await makeKey(directory(), { name: 'next' })]
    configure({ main, next }, ['main'], [])
    const own = await keyringPackage('box', [main.config], [], 'treeswap <treeswap@localhost.invalid>')
    const { name, version, fileName: file, bytes, fingerprint } = own
    const record: RecipeRecord = {
      source: 'keys of the configuration',
      commit: fingerprint,
      fingerprint,
      version,
      packages: [{ name, file, version }],
      built: 1,
      dependencies: new Map(),
      status: 'built',
    }
    const more = { tree: 'box', files: { [file]: bytes }, recipes: new Map([[name, record]]) }
    for (const number of [1, 2]) await archiveRepo(join(directory(), 'artifacts'), number, {}, more)
    const at = { cwd: directory() }
    const publish = (number: number) => treeswap(['publish', `box@${number}`, '--from', 'dir:artifacts', '--json'], at)
    for (const number of [1, 2]) {
      const ended = await publish(number)
      expect(ended.exitCode, ended.stderr).to.equal(0)
      expect(ended.stderr).not.to.include('keyring')
    }
    configure({ main, next }, ['next'], ['main'])
    for (const args of [
      ['publish', 'box'],
      ['rollback', 'box'],
    ]) {
      const { exitCode, stderr } = await treeswap(args, at)
      expect(exitCode, stderr).to.equal(0)
      expect(stderr).to.match(/warning: box@\d tells clients of other keys than .*`treeswap run box`/)
    }
  })

  it('warns of an expired key, and refuses to make a keyring without keys', async () => {
    const main = await makeKey(directory(), { name: 'main', days: 3 })
    configure({ main }, ['main'], [])
    const warned = (await treeswap(['keyring', 'box'], { cwd: directory() })).stderr
    expect(warned).to.include(`the key main (${main.config.fingerprint}) expired on`)
    configure({ main }, [], [])
    const ended = await treeswap(['keyring', 'box', '--json'], { cwd: directory() })
    expect(ended.exitCode).to.equal(10)
    expect(documentOf(ended).error).to.include({ code: 'KEYRING_EMPTY' })
  })
})
