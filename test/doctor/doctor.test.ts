import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { examine } from '../../src/doctor/doctor.js'
import { isOlder } from '../../src/doctor/tools.js'
import { makeSigningKey } from '../lab/signing-key.js'
import { silent } from '../lab/silent.js'
import { makeKey } from '../signing/keys.js'

describe('doctor', function () {
  this.timeout(60_000)
  let directory = ''

  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'doctor-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  it('says how to mend whatever it finds wrong', async () => {
    const findings = await examine(
      {
        roles: ['build', 'publish', 'serve'],
        root: directory,
        builder: directory,
        chroots: [],
      },
      silent,
    )
    expect(new Set(findings.map(({ role }) => role))).to.have.property('size', 3)
    for (const { name, status, hint } of findings) {
      if (status === 'ok') expect(hint, name).to.equal(undefined)
      else expect(hint, name).to.be.a('string').and.not.equal('')
    }
    const names = findings.map(({ name }) => name)
    expect(names).to.include.members([
      'systemd-nspawn',
      'user namespaces',
      'overlayfs',
      'control groups',
      'flock',
      'rsync',
    ])
  })

  it('looks only at what the role needs', async () => {
    const findings = await examine({ roles: ['publish'], root: directory, builder: '/nowhere', chroots: [] }, silent)
    expect(findings.map(({ name }) => name)).not.to.include('systemd-nspawn')
  })

  it('does not fail for what only some builders need, but names it', async () => {
    const path = process.env.PATH
    process.env.PATH = directory
    try {
      const findings = await examine({ roles: ['build'], root: directory, builder: directory, chroots: [] }, silent)
      const told = (program: string) => findings.find(({ name }) => name === program)
      expect(told('xz')).to.deep.include({ status: 'warn', hint: 'apt-get install xz-utils' })
      expect(told('xz')?.detail).to.include('.tar.xz')
      expect(told('ssh')).to.deep.include({ status: 'warn', hint: 'apt-get install openssh-client' })
      expect(told('git')).to.deep.include({ status: 'fail' })
    } finally {
      process.env.PATH = path
    }
  })

  it('sees that a store cannot be where a file is', async () => {
    writeFileSync(join(directory, 'file'), '')
    const findings = await examine(
      {
        roles: ['publish'],
        root: join(directory, 'file'),
        builder: directory,
        chroots: [],
      },
      silent,
    )
    expect(findings.find(({ name }) => name === 'store')).to.deep.include({ status: 'fail' })
  })

  it('judges a store that is not there yet by where it will be', async () => {
    const findings = await examine(
      {
        roles: ['publish'],
        root: join(directory, 'a/b'),
        builder: directory,
        chroots: [],
      },
      silent,
    )
    expect(findings.find(({ name }) => name === 'store')?.status).to.not.equal('fail')
  })

  it('sees whether objects and generations can be linked', async () => {
    for (const name of ['objects', 'published']) mkdirSync(join(directory, name))
    const findings = await examine({ roles: ['publish'], root: directory, builder: directory, chroots: [] }, silent)
    expect(findings.find(({ name }) => name === 'hard links')?.status).to.equal('ok')
  })

  it('sees that what a root is to be made from is missing, which is worse where there is no root yet', async () => {
    mkdirSync(join(directory, 'chroots/made'), { recursive: true })
    writeFileSync(join(directory, 'stage3.tar.xz'), '')
    const chroots = [
      { name: 'new', from: join(directory, 'gone.tar.xz') },
      { name: 'made', from: join(directory, 'gone.tar.xz') },
      { name: 'there', from: join(directory, 'stage3.tar.xz') },
      { name: 'by-hand', from: undefined },
    ]
    const findings = await examine({ roles: ['build'], root: directory, builder: directory, chroots }, silent)
    const found = findings.filter(({ name }) => name.startsWith('chroot '))
    expect(found.map(({ name, status }) => [name, status])).to.deep.equal([
      ['chroot new', 'fail'],
      ['chroot made', 'warn'],
      ['chroot there', 'ok'],
    ])
    expect(found[0]?.detail).to.include(join(directory, 'gone.tar.xz'))
    expect(found[0]?.hint).to.include('chroots.new.from')
  })

  it('sees that a key that is to sign cannot, before it has to', async () => {
    const [good, exposed] = [await makeSigningKey(directory, 'good'), await makeSigningKey(directory, 'exposed')]
    chmodSync(exposed.secret, 0o644)
    const keys = [good, exposed].map(({ fingerprint, public: publicFile, secret: secretFile }, index) => ({
      name: index === 0 ? 'good' : 'exposed',
      fingerprint,
      publicFile,
      secretFile,
      passphraseFile: undefined,
      gpg: undefined,
    }))
    const findings = await examine(
      { roles: ['publish'], root: directory, builder: directory, chroots: [], keys },
      silent,
    )
    const found = findings.filter(({ name }) => name.startsWith('key '))
    expect(found.map(({ name, status }) => [name, status])).to.deep.equal([
      ['key good', 'ok'],
      ['key exposed', 'fail'],
    ])
    expect(found[1]?.detail).to.include('KEY_EXPOSED')
    expect(found[1]?.hint).to.include('chmod 600')
  })

  it('warns of a key that expires within thirty days', async () => {
    const made = await Promise.all([12.5, 40.5].map((days) => makeKey(directory, { name: `k${days}`, age: 0, days })))
    const keys = made.map(({ config }) => config)
    const findings = await examine(
      { roles: ['publish'], root: directory, builder: directory, chroots: [], keys },
      silent,
    )
    const [soon, later] = findings.filter(({ name }) => name.startsWith('key '))
    expect(soon).to.include({ status: 'warn', name: 'key k12.5' })
    expect(soon?.detail).to.match(/expires on \d{4}-\d\d-\d\d, in 12 days/)
    expect(soon?.hint).to.include(keys[0]!.fingerprint).and.to.include(keys[0]!.publicFile)
    expect(later).to.include({ status: 'ok' })
  })

  it('compares versions by their numbers', () => {
    expect(isOlder('3.2.7', '3.10')).to.equal(true)
    expect(isOlder('20.19.1', '20.19')).to.equal(false)
    expect(isOlder('252', '247')).to.equal(false)
  })
})
