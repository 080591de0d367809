import { expect } from 'chai'
import { mkdirSync, readFileSync } from 'node:fs'
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
})
