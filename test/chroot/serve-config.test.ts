import { expect } from 'chai'
import { parseRootConfig } from '../../src/chroot/serve-config.js'
import { allowedOrigin } from '../../src/chroot/serve-policy.js'
import { failure } from '../artifact/collect.js'

const text = `schema: 1
user: jenkins
directory: /var/lib/treeswap/chroots
binds: [/var/lib/jenkins/treeswap]
chroots:
  database:
    from: /var/lib/treeswap/stage3.tar.xz
    limits: { memory: 8G }
`

describe('the configuration of the root program', () => {
  it('says what each root is made from, and its limits', () => {
    const { chroots } = parseRootConfig(text, 'root.yaml')
    expect(chroots.get('database')).to.deep.include({ network: false, limits: { memory: 8 * 1024 ** 3 } })
  })

  const unknown: [string, string, string][] = [
    ['user:', 'usr:', 'user: Invalid input: expected string, received undefined; usr: unknown key: did you mean user?'],
    ['schema: 1', 'schema: 1\nwhat: 1', 'what: unknown key: there are schema, user, directory, binds, chroots'],
    ['from:', 'form:', 'chroots.database.form: unknown key: did you mean from?'],
    ['from:', 'origin:', 'chroots.database.origin: unknown key: there are from, network, '],
    ['memory:', 'ram:', 'chroots.database.limits.ram: unknown key: there are memory, processes, time'],
  ]
  for (const [key, written, told] of unknown) {
    it(`with ${JSON.stringify(written)} is refused with the keys that there are`, async () => {
      const error = await failure(() => parseRootConfig(text.replace(key, written), 'root.yaml'))
      expect(error.code).to.equal('ROOT_CONFIG_INVALID')
      expect(error.message).to.contain(`the configuration of the root program is not valid: root.yaml: ${told}`)
    })
  }

  it('is what a job is referred to that names another origin', async () => {
    const allowed = parseRootConfig(text, 'root.yaml').chroots.get('database')!
    const error = await failure(() => allowedOrigin(allowed, { tarball: '/nowhere/stage3.tar.xz' }))
    expect(error.code).to.equal('ORIGIN_REFUSED')
    expect(error.message).to.contain("root.yaml, the administrator's, names /var/lib/treeswap/stage3.tar.xz")
    const byHand = await failure(() => allowedOrigin({ ...allowed, from: undefined }, { directory: '/srv/root' }))
    expect(byHand.message).to.contain('names nothing')
  })
})
