import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { rootPackages } from '../../src/arch/root-packages.js'
import { openRootService } from '../../src/chroot/root-service.js'
import { updateRoot } from '../../src/chroot/update-root.js'
import { failure } from '../artifact/collect.js'
import { needsRoot } from '../lab/needs-root.js'
import { pacmanBuilderRoot } from '../lab/pacman-root.js'
import { silent } from '../lab/silent.js'

describe('a root that recipes are to be built in', function () {
  this.timeout(300_000)
  let directory = ''
  const service = () => openRootService(join(directory, 'chroots'))
  const update = (command: string) => updateRoot(service(), { name: 'own', command: ['sh', '-c', command] }, silent)
  const refusal = async () => await failure(() => rootPackages('own', service(), silent))

  before(needsRoot)
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-root-packages-'))
    const from = { directory: await pacmanBuilderRoot(() => undefined) }
    await service().create({ name: 'own', from }, silent)
  })
  after(() => {
    if (directory !== '') execFileSync('rm', ['-rf', '--one-file-system', directory])
  })

  it('says what it has', async () => {
    expect((await rootPackages('own', service(), silent)).installed.get('debian-base')).to.equal('12-1')
  })

  it('is refused as a whole where it lacks what every recipe needs', async () => {
    await update('mv /usr/bin/makepkg /usr/bin/fakeroot* /root/')
    expect(await refusal()).to.include({
      code: 'ROOT_UNUSABLE',
      message: 'no recipe can be built in the chroot own: it lacks makepkg fakeroot',
    })
    await update('mv /root/makepkg /root/fakeroot* /usr/bin/; mv /usr/sbin/useradd /root')
    expect((await refusal()).message).to.include('useradd')
  })

  it('is refused where its programs are there and the user that builds cannot run them', async () => {
    await update('mv /root/useradd /usr/sbin; mv /etc/makepkg.conf /root; chmod 700 /usr/bin/makepkg')
    expect(await refusal()).to.include({ code: 'ROOT_UNUSABLE' })
    expect((await refusal()).message).to.match(/makepkg.*Permission denied/)
  })
})
