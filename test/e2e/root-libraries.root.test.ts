import { expect } from 'chai'
import { compile } from '../cli/treeswap.js'
import { needsRoot } from '../lab/needs-root.js'
import { ArchSite, recipe } from './arch-site.js'

/** A library of the distribution: its recipe, and what makes it a package in a root. */
function library(name: string, version: number, soname: number): string {
  const file = `lib${name}.so.${soname}`
  const pkgbuild = `pkgname=${name}
pkgver=${version}
pkgrel=1
arch=(x86_64)
options=(!debug)
build() {
  echo "int ${name}(void) { return ${soname}; }" > library.c
  gcc -shared -fPIC -Wl,-soname,${file} -o ${file} library.c
}
package() {
  install -Dm755 ${file} "$pkgdir/usr/lib/${file}"
  ln -s ${file} "$pkgdir/usr/lib/lib${name}.so"
}
`
  return `id maker || useradd --create-home maker
rm -rf /home/maker/work
mkdir /home/maker/work
cat > /home/maker/work/PKGBUILD <<'EOF'
${pkgbuild}EOF
chown -R maker: /home/maker/work
(cd /home/maker/work && runuser -u maker -- env PKGEXT=.pkg.tar.zst makepkg)
made=$(echo /home/maker/work/*.pkg.tar.zst)`
}

const configure = `if ! grep -q distro /etc/pacman.conf; then
  printf '[distro]\\nSigLevel = Never\\nServer = file:///srv/distro\\n' >> /etc/pacman.conf
fi
mkdir -p /srv/distro`
const publish = 'cp "$made" /srv/distro/; repo-add /srv/distro/distro.db.tar.gz "/srv/distro/${made##*/}"; pacman -Sy'

/** A recipe of a program that needs a library. */
function program(name: string, libraryName: string): string {
  return `pkgname=${name}
pkgver=1.0
pkgrel=1
arch=(x86_64)
depends=(${libraryName})
build() {
  echo "int ${libraryName}(void); int main(void) { return ${libraryName}(); }" > program.c
  gcc -o program program.c -l${libraryName}
}
package() { install -Dm755 program "$pkgdir/usr/bin/${name}"; }
`
}

describe('a library of the root that changes its soname', function () {
  this.timeout(600_000)
  before(needsRoot)
  let site: ArchSite

  before(compile)
  before(async () => {
    site = await ArchSite.create('repositories: [{ url: PATH/git/recipes }]')
    await site.commit('recipes', {
      'one/PKGBUILD': program('one', 'inroot'),
      'two/PKGBUILD': program('two', 'fetched'),
      'three/PKGBUILD': recipe('three'),
    })
    const created = await site.start(['chroot', 'create', 'own'])
    expect(created.exitCode, created.told.join('\n')).to.equal(0)
    await update(configure, library('inroot', 1, 1), 'pacman -U --noconfirm "$made"', library('fetched', 1, 1), publish)
    const run = await site.run()
    expect(run, run.told.join('\n')).to.deep.include({ status: 'built', partial: false, exitCode: 0 })
  })
  after(() => ArchSite.removeAll())

  async function update(...scripts: string[]): Promise<void> {
    const argv = ['sh', '-c', `set -e\n${scripts.join('\n')}`]
    const { exitCode, told } = await site.start([
      'chroot',
      'update',
      'own',
      '--builder',
      site.path('builder'),
      '--',
      ...argv,
    ])
    expect(exitCode, told.join('\n')).to.equal(0)
  }

  async function planned(): Promise<{ why: Record<string, string[]>; looked: string[] }> {
    const { stdout, told } = await site.start(['plan', 'own'])
    const { steps } = JSON.parse(stdout) as { steps: { base: string; action: string; why: string[] }[] }
    const building = steps.filter(({ action }) => action === 'build')
    return {
      why: Object.fromEntries(building.map(({ base, why }) => [base, why])),
      looked: told.filter((line) => line.includes('looking into')),
    }
  }

  it('has what needs it built again with a higher pkgrel, and nothing else', async () => {
    await update(library('inroot', 2, 2), 'pacman -U --noconfirm "$made"')
    expect(await planned()).to.deep.equal({ why: { one: ['the root no longer has libinroot.so.1'] }, looked: [] })
    const run = await site.run()
    expect(run.recipes, run.told.join('\n')).to.deep.equal([{ base: 'one', status: 'built', version: '1.0-1.1' }])
    expect((await site.run()).status).to.equal('unchanged')
  })

  it('is noticed where it is installed for the build only', async () => {
    await update(library('fetched', 2, 2), publish)
    const { why, looked } = await planned()
    expect(why).to.deep.equal({ two: ['the root no longer has libfetched.so.1'] })
    expect(looked).to.have.length(1)
    const run = await site.run()
    expect(run.recipes, run.told.join('\n')).to.deep.equal([{ base: 'two', status: 'built', version: '1.0-1.1' }])
  })

  it('is no reason as long as the soname stays, which is found out once for each state of the root', async () => {
    await update(library('inroot', 3, 2), 'pacman -U --noconfirm "$made"', library('fetched', 3, 2), publish)
    const { why, looked } = await planned()
    expect(why).to.deep.equal({})
    expect(looked).to.have.length(1)
    expect(await planned()).to.deep.equal({ why: {}, looked: [] })
    expect((await site.run()).status).to.equal('unchanged')
  })

  it('stays the reason where the rebuild fails', async () => {
    await update('pacman -R --noconfirm inroot')
    const run = await site.run()
    expect(run).to.include({ status: 'unchanged', exitCode: 3 })
    expect(run.recipes.map(({ base, code }) => [base, code])).to.deep.equal([['one', 'DEPENDENCIES_MISSING']])
    expect((await planned()).why).to.deep.equal({ one: ['the root no longer has libinroot.so.2'] })
  })
})
