import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { examine } from '../../src/pipeline/doctor.js'
import { isOlder } from '../../src/pipeline/doctor-tools.js'

describe('doctor', function () {
  this.timeout(60_000)
  let directory = ''

  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'doctor-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  it('says how to mend whatever it finds wrong', async () => {
    const findings = await examine({
      roles: ['build', 'publish', 'serve'],
      root: directory,
      builder: directory,
      chroots: [],
    })
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
    const findings = await examine({ roles: ['publish'], root: directory, builder: '/nowhere', chroots: [] })
    expect(findings.map(({ name }) => name)).not.to.include('systemd-nspawn')
  })

  it('does not fail for what only some builders need, but names it', async () => {
    const path = process.env.PATH
    process.env.PATH = directory
    try {
      const findings = await examine({ roles: ['build'], root: directory, builder: directory, chroots: [] })
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
    const findings = await examine({
      roles: ['publish'],
      root: join(directory, 'file'),
      builder: directory,
      chroots: [],
    })
    expect(findings.find(({ name }) => name === 'store')).to.deep.include({ status: 'fail' })
  })

  it('judges a store that is not there yet by where it will be', async () => {
    const findings = await examine({
      roles: ['publish'],
      root: join(directory, 'a/b'),
      builder: directory,
      chroots: [],
    })
    expect(findings.find(({ name }) => name === 'store')?.status).to.not.equal('fail')
  })

  it('sees whether objects and generations can be linked', async () => {
    for (const name of ['objects', 'published']) mkdirSync(join(directory, name))
    const findings = await examine({ roles: ['publish'], root: directory, builder: directory, chroots: [] })
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
    const findings = await examine({ roles: ['build'], root: directory, builder: directory, chroots })
    const found = findings.filter(({ name }) => name.startsWith('chroot '))
    expect(found.map(({ name, status }) => [name, status])).to.deep.equal([
      ['chroot new', 'fail'],
      ['chroot made', 'warn'],
      ['chroot there', 'ok'],
    ])
    expect(found[0]?.detail).to.include(join(directory, 'gone.tar.xz'))
    expect(found[0]?.hint).to.include('chroots.new.from')
  })

  it('compares versions by their numbers', () => {
    expect(isOlder('3.2.7', '3.10')).to.equal(true)
    expect(isOlder('20.19.1', '20.19')).to.equal(false)
    expect(isOlder('252', '247')).to.equal(false)
  })
})
