import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { Site } from './site.js'
import { ebuild, writeProfile, writeTinyRepo } from './tiny-repo.js'

const library = (version: number) => ({
  cpv: `app-test/library-${version}`,
  compile: [
    `echo 'int answer(void) { return ${version}; }' > answer.c`,
    `gcc -shared -fPIC -Wl,-soname,libanswer.so.${version} -o libanswer.so.${version} answer.c || die`,
    `ln -s libanswer.so.${version} libanswer.so`,
  ].join('\n'),
  install: `into /usr\ndolib.so libanswer.so.${version} libanswer.so`,
})

const program = {
  cpv: 'app-test/program-1',
  depends: 'app-test/library',
  compile: [
    `echo 'int answer(void); int main(void) { return answer(); }' > program.c`,
    'gcc -o program program.c -L"${EROOT}"/usr/lib -lanswer || die',
  ].join('\n'),
  install: 'dobin program',
}

describe('a library that changes its soname', function () {
  this.timeout(300_000)
  before(needsRoot)
  after(() => {
    Site.removeAll()
  })

  it('has what links it compiled again, not taken from the binary package of the same version', async () => {
    const site = await Site.create({ after: "['@preserved-rebuild', '--depclean']" })
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [library(1), program])
    writeProfile(site.path('git/profile'), ['app-test/program'])
    site.commit('gentoo')
    site.commit('profile')
    await site.succeed('run')
    const requires = () =>
      /^REQUIRES: .*libanswer\.so\.(\d)/m.exec(
        readFileSync(site.path('srv/published/database/.binpkgs/Packages'), 'utf8'),
      )?.[1]
    expect(requires()).to.equal('1')
    writeFiles(site.path('git/gentoo'), Object.fromEntries([ebuild(library(2))]))
    site.commit('gentoo')
    const { machines } = await site.succeed<{ machines: { build: { compiled: string[] } }[] }>('run')
    expect(machines[0]?.build.compiled).to.deep.equal(['app-test/library-2', 'app-test/program-1'])
    expect(requires()).to.equal('2')
  })
})
