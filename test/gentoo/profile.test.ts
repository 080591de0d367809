import { expect } from 'chai'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { findProfile, writeWorld } from '../../src/gentoo/profile.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('a machine profile', () => {
  const directory = temporaryDirectory()

  for (const [etc, world] of [
    ['etc-portage', 'world'],
    ['configs/etc-portage', 'configs/var-lib-portage/world'],
  ] as const) {
    it(`is found as ${etc} + ${world}`, () => {
      writeFiles(directory(), { [`${etc}/make.conf`]: '', [world]: 'app-misc/hello\n' })
      const profile = findProfile(directory())
      expect(profile.etcPortage).to.equal(join(directory(), etc))
      writeWorld(profile, join(directory(), 'out'))
      expect(readFileSync(join(directory(), 'out/world'), 'utf8')).to.equal('app-misc/hello\n')
      expect(readFileSync(join(directory(), 'out/world_sets'), 'utf8')).to.equal('')
    })
  }

  it('that is missing is an error which says what lies there instead', () => {
    mkdirSync(join(directory(), 'database'))
    expect(() => findProfile(directory()))
      .to.throw(/holds no machine profile/)
      .with.property('hint')
      .that.contains('it has database')
  })

  for (const link of ['world', 'world_sets', 'etc-portage', 'configs']) {
    it(`whose ${link} is a symlink is refused, and the link is named: it could lead to any file of this host`, () => {
      const outside = join(directory(), 'outside')
      writeFiles(outside, { 'etc-portage/make.conf': '', 'var-lib-portage/world': '', world: '', world_sets: '' })
      const own = link === 'configs' ? [] : ['etc-portage', 'world', 'world_sets'].filter((name) => name !== link)
      writeFiles(join(directory(), 'box'), Object.fromEntries(own.map((name) => [nameOfFile(name), ''])))
      mkdirSync(join(directory(), 'box'), { recursive: true })
      symlinkSync(link === 'configs' ? outside : join(outside, link), join(directory(), 'box', link))
      expect(() => findProfile(join(directory(), 'box'), 'the profile of box'))
        .to.throw(`${link} in the profile of box is a symlink to ${outside}`)
        .with.property('code', 'PROFILE_LINK')
    })
  }

  it('is named as its user knows it, and lists nothing of git', () => {
    writeFiles(directory(), { '.git/HEAD': '', 'database/world': '' })
    expect(() => findProfile(directory(), 'https://example.org/x'))
      .to.throw(/^https:\/\/example.org\/x holds no machine profile/)
      .with.property('hint')
      .that.contains('it has database: ')
  })
})

function nameOfFile(name: string): string {
  return name === 'etc-portage' ? 'etc-portage/make.conf' : name
}
