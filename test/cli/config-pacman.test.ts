import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { revokeKey } from 'openpgp'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import type { MadeKey } from '../signing/keys.js'
import { compile, documentOf, treeswap } from './treeswap.js'
import type { Ended } from './treeswap.js'

describe('treeswap config pacman', function () {
  this.timeout(60_000)
  before(compile)
  const directory = temporaryDirectory()

  async function ask(key: MadeKey, settings: object): Promise<Ended> {
    const { fingerprint } = key.config
    const repo = { repositories: [{ url: 'https://git.example.org/recipes.git' }], ...settings }
    const configuration = {
      schema: 1,
      publisher: { root: 'store', http: 'https://pkgs.example.org' },
      chroots: { box: {} },
      pacman: { box: repo },
      keys: { main: { fingerprint, public: 'main.asc' } },
    }
    writeFileSync(join(directory(), 'treeswap.yaml'), JSON.stringify(configuration))
    return await treeswap(['config', 'pacman', '--json'], { cwd: directory() })
  }
  const commandsOf = (ended: Ended): string[] =>
    (documentOf(ended) as { commands: { argv: string[] }[] }).commands.map(({ argv }) => argv.join(' '))
  const publicFile = (): string => join(directory(), 'main.asc')

  it('names the key that signs, and warns where its time is nearly over', async () => {
    const main = await makeKey(directory(), { days: 30 })
    const ended = await ask(main, { sign: 'main' })
    expect(ended.exitCode, ended.stderr).to.equal(0)
    expect(commandsOf(ended)).to.include(`pacman-key --lsign-key ${main.config.fingerprint}`)
    expect(ended.stderr).to.match(/the key main \(.*expires on .*, in (19|20) days/)
  })

  it('has clients install the keys of a repo that is not signed yet', async () => {
    const ended = await ask(await makeKey(directory()), { trust: ['main'] })
    expect(commandsOf(ended)).to.deep.equal(['pacman-key --init', 'pacman -Sy box-keyring', 'pacman -Syu'])
  })

  for (const [code, damage] of [
    ['KEY_EXPIRED', () => makeKey(directory(), { age: 10, days: 5 })],
    [
      'KEY_REVOKED',
      async () => {
        const key = await makeKey(directory())
        const { publicKey } = await revokeKey({ key: key.secretKey, format: 'armored' })
        writeFileSync(publicFile(), publicKey)
        return key
      },
    ],
    [
      'KEY_UNREADABLE',
      async () => {
        const key = await makeKey(directory())
        rmSync(publicFile())
        return key
      },
    ],
    [
      'KEY_DIFFERENT',
      async () => {
        const key = await makeKey(directory())
        const other = await makeKey(directory(), { name: 'other' })
        writeFileSync(publicFile(), readFileSync(other.config.publicFile))
        return key
      },
    ],
  ] as [string, () => Promise<MadeKey>][]) {
    it(`prints nothing to be pasted where the key is no good: ${code}`, async () => {
      const key = await damage()
      const ended = await ask(key, { sign: 'main' })
      expect(ended.exitCode).to.equal(10)
      expect(documentOf(ended)).to.have.keys('schema', 'error')
      expect(documentOf(ended).error).to.include({ code })
    })
  }

  it('only warns of an expired key that does not sign: pacman-key leaves it out', async () => {
    const ended = await ask(await makeKey(directory(), { age: 10, days: 5 }), { trust: ['main'] })
    expect(ended.exitCode).to.equal(0)
    expect(ended.stderr).to.include('the key main').and.to.include('expired on')
  })
})
