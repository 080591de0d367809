import { expect } from 'chai'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { Site } from './site.js'
import { ebuild, writeProfile, writeTinyRepo } from './tiny-repo.js'
import type { TinyPackage } from './tiny-repo.js'

describe('what an ebuild does to the directories it can write', function () {
  this.timeout(300_000)
  let site: Site

  before(needsRoot)
  before(async () => {
    // a pipe in the place of the index holds Portage itself up, until its time is over
    site = await Site.create({ machine: '    limits: { time: 60s }\n' })
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/tool-1' }])
    writeProfile(site.path('git/profile'), ['app-test/tool'])
    site.commit('profile')
    mkdirSync(site.path('host'))
    writeFileSync(site.path('host/file'), 'as it was\n')
    writeFileSync(site.path('host/x-1-1.gpkg.tar'), 'another machine has this\n')
  })
  after(() => {
    Site.removeAll()
  })

  /** Builds a version whose post-install script, which may write PKGDIR, does `script`. */
  async function build(version: number, script: string): Promise<number> {
    const change: TinyPackage = { cpv: `app-test/tool-${version}`, install: `}\npkg_postinst() {\n${script}` }
    writeFiles(site.path('git/gentoo'), Object.fromEntries([ebuild(change)]))
    site.commit('gentoo')
    return (await site.run('run')).exitCode
  }

  afterEach(() => {
    expect(readFileSync(site.path('host/file'), 'utf8')).to.equal('as it was\n')
    expect(readdirSync(site.path('host')).sort()).to.deep.equal(['file', 'x-1-1.gpkg.tar'])
  })

  it('does not reach the host through links', async () => {
    const links = ['Packages.gz', 'Packages.tmp', 'app-test/tool/link-1-1.gpkg.tar']
    const made = links.map((name) => `ln -sf ${site.path('host/file')} "\${PKGDIR}/${name}"`)
    await build(2, [...made, `ln -s ${site.path('host')} "\${PKGDIR}/other"`, ':'].join('\n'))
    await build(3, ':')
    expect(existsSync(site.path('builder/packages/database/other'))).to.equal(false)
  })

  it('does not stop the builder by a pipe in the place of the index, nor by depths that cannot be named', async () => {
    const name = 'd'.repeat(200)
    const deep = `cd "\${PORTAGE_LOGDIR}" && for i in {1..40}; do mkdir ${name} && cd ${name}; done`
    await build(4, `rm -f "\${PKGDIR}/Packages"; mkfifo "\${PKGDIR}/Packages"; (${deep}); :`)
    expect(await build(5, ':')).to.equal(0)
    expect(readdirSync(site.path('builder/work/runs/database'))).to.deep.equal([])
  })
})
