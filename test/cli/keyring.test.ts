import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import type { MadeKey } from '../signing/keys.js'
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
