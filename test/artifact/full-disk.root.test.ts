import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { packDirectory } from '../../src/artifact/pack.js'
import { packTree } from '../../src/artifact/pack-tree.js'
import { unpackPack } from '../../src/artifact/unpack.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { failure } from './collect.js'

const temporary = temporaryDirectory()
const small = (): string => join(temporary(), 'small')

describe('on a disk of 1 MiB', () => {
  before(needsRoot)
  beforeEach(() => {
    mkdirSync(small())
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small()])
    writeFiles(temporary(), { 'repo/profiles/repo_name': 'gentoo\n' })
    writeFileSync(join(temporary(), 'repo/large'), randomBytes(3 * 2 ** 20))
  })
  afterEach(() => {
    execFileSync('umount', [small()])
  })

  it('packing says so and leaves nothing behind', async () => {
    const request = {
      name: 'gentoo',
      role: 'ebuild-repo' as const,
      directory: join(temporary(), 'repo'),
      output: small(),
    }
    for (const role of ['ebuild-repo', 'packages'] as const) {
      const error = await failure(() => packDirectory({ ...request, role }, silent))
      expect([error.code, error.category]).to.deep.equal(['DISK', 'infrastructure'])
      expect(error.message).to.include(small()).and.include('no space left')
      expect(readdirSync(small())).to.be.empty
    }
  })

  it('archiving a machine says so and leaves nothing behind', async () => {
    writeFiles(temporary(), {
      'parts/etc-portage/make.conf': '',
      'parts/var-lib-portage/world': '',
      'parts/binpkgs/Packages': 'PACKAGES: 0\n',
    })
    mkdirSync(join(temporary(), 'parts/repos'))
    renameSync(join(temporary(), 'repo'), join(temporary(), 'parts/repos/gentoo'))
    const request = { directory: join(temporary(), 'parts'), tree: 'box', number: 1, output: join(small(), '1') }
    expect((await failure(() => packTree(request, silent))).code).to.equal('DISK')
    expect(readdirSync(small())).to.be.empty
  })

  it('unpacking says so and leaves nothing behind', async () => {
    const output = join(temporary(), 'out')
    mkdirSync(output)
    const directory = join(temporary(), 'repo')
    const { pack, manifest } = await packDirectory({ name: 'gentoo', role: 'ebuild-repo', directory, output }, silent)
    const input = Readable.from([readFileSync(join(output, pack.file))])
    const error = await failure(() => unpackPack(pack, manifest, input, join(small(), 'unpacked'), silent))
    expect(error.code).to.equal('DISK')
    expect(readdirSync(small())).to.be.empty
  })
})
