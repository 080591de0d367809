import { expect } from 'chai'
import { assembleMachine } from '../../src/gentoo/assemble.js'
import type { Build, Pack } from '../../src/model/build.js'
import type { Manifest } from '../../src/model/manifest.js'

const digest = 'cd'.repeat(32)

function pack(name: string, role: Pack['role']): Pack {
  const manifest = { file: `${name}.manifest.zst`, size: 1, sha256: digest }
  return { name, role, file: `${name}.tar`, size: 1, sha256: digest, manifest }
}

const build: Build = {
  schema: 1,
  kind: 'machine',
  name: 'box',
  number: 1,
  started: '2026-01-01T00:00:00Z',
  finished: '2026-01-01T00:00:00Z',
  inputs: [],
  tools: {},
  packs: [
    pack('gentoo', 'ebuild-repo'),
    pack('packages', 'packages'),
    pack('etc-portage', 'etc-portage'),
    pack('var-lib-portage', 'var-lib-portage'),
  ],
}

const file = (path: string): Manifest => ({
  entries: [{ type: 'file', path, executable: true, size: 3, sha256: digest }],
})

const manifests = new Map<string, Manifest>([
  ['gentoo', { entries: [{ type: 'directory', path: 'empty' }] }],
  ['packages', file('Packages')],
  ['etc-portage', { entries: [{ type: 'symlink', path: 'make.profile', target: '../../x' }] }],
  ['var-lib-portage', file('world')],
])

describe('assembling a machine', () => {
  it('puts each pack where clients look for it', () => {
    const files = assembleMachine(build, manifests)
    expect(files.get('gentoo/empty')).to.deep.equal({ kind: 'directory' })
    expect(files.get('.binpkgs/Packages')).to.deep.equal({ kind: 'object', key: `${digest}x`, size: 3 })
    expect(files.get('.profile/etc/portage/make.profile')).to.deep.equal({ kind: 'symlink', target: '../../x' })
    expect(files.get('.profile/var/lib/portage/world')).to.have.property('kind', 'object')
  })

  it('always has world_sets, so that a client that takes it over loses what is gone', () => {
    const world_sets = assembleMachine(build, manifests).get('.profile/var/lib/portage/world_sets')
    expect(world_sets).to.deep.include({ kind: 'text', content: Buffer.alloc(0) })
  })

  const link: Manifest = { entries: [{ type: 'symlink', path: 'world', target: 'x' }] }
  const packagesLink: Manifest = { entries: [{ type: 'symlink', path: 'Packages', target: 'x' }] }
  const without = (role: Pack['role']): Build => ({ ...build, packs: build.packs.filter((one) => one.role !== role) })
  for (const [what, machine, parts, code] of [
    ['no world file', build, { 'var-lib-portage': { entries: [] } }, 'WORLD_MISSING'],
    ['a symlink for a world file', build, { 'var-lib-portage': link }, 'WORLD_MISSING'],
    ['nothing of /var/lib/portage', without('var-lib-portage'), {}, 'WORLD_MISSING'],
    ['nothing of /etc/portage', without('etc-portage'), {}, 'PROFILE_MISSING'],
    ['packages, but no index of them', build, { packages: { entries: [] } }, 'PACKAGES_INVALID'],
    ['a symlink for an index of packages', build, { packages: packagesLink }, 'PACKAGES_INVALID'],
    ['one pack twice', { ...build, packs: [...build.packs, pack('gentoo', 'ebuild-repo')] }, {}, 'TREE_INVALID'],
  ] as [string, Build, Record<string, Manifest>, string][]) {
    it(`refuses a machine that has ${what}`, () => {
      expect(() => assembleMachine(machine, new Map([...manifests, ...Object.entries(parts)])))
        .to.throw('box@1')
        .with.property('code', code)
    })
  }

  it('says which pack has no manifest', () => {
    expect(() => assembleMachine(build, new Map()))
      .to.throw('gentoo in box@1')
      .with.property('code', 'MANIFEST_MISSING')
  })
})
