import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { parseSrcinfo } from '../../src/arch/srcinfo.js'

/** A split recipe with everything that a reader could get wrong. */
const PKGBUILD = `
pkgbase=fix
pkgname=(fix fix-libs fix-doc)
epoch=2
pkgver=1.0.r3+gabc
pkgrel=1.1
pkgdesc="a = b  # no comment"
arch=(x86_64 aarch64)
url='https://example.org/?a=b'
license=(GPL)
depends=(glibc 'libfoo.so=1-64')
depends_x86_64=(lib32-glibc)
depends_aarch64=(never)
makedepends=(git 'cmake>=3')
checkdepends_x86_64=(python)
provides=('fixture=1')
source=('fix::git+https://example.org/fix.git#branch=main' 'local.patch')
source_x86_64=('https://example.org/blob')
sha256sums=(SKIP SKIP)
sha256sums_x86_64=(SKIP)
validpgpkeys=(0123456789ABCDEF0123456789ABCDEF01234567)
package_fix() { depends+=('fix-libs>=1'); groups=(fixtures); }
package_fix-libs() { depends=(); depends_x86_64=(); provides=('libfix.so'); replaces=('fix-old<2'); conflicts=(fix-old); optdepends=('gtk+: for windows'); }
package_fix-doc() { arch=(any); depends=(); }
`

const plain = `pkgbase = foo
\tpkgver = 1.0
\tpkgrel = 1
\tarch = any

pkgname = foo
`

describe('.SRCINFO', () => {
  let written = ''

  before(function () {
    this.timeout(120_000)
    const directory = mkdtempSync(join(tmpdir(), 'treeswap-test-'))
    // makepkg refuses to be root
    const become = process.getuid?.() === 0 ? ['runuser', '-u', 'nobody', '--'] : []
    const [program, ...args] = [...become, 'env', 'LC_ALL=C.UTF-8', 'makepkg', '--printsrcinfo'] as const
    try {
      chmodSync(directory, 0o777)
      writeFileSync(join(directory, 'PKGBUILD'), PKGBUILD)
      written = execFileSync(program, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('is read as makepkg writes it', () => {
    const { packages, ...recipe } = parseSrcinfo(written, 'x86_64')
    expect(recipe).to.deep.equal({
      base: 'fix',
      version: '2:1.0.r3+gabc-1.1',
      pkgver: '1.0.r3+gabc',
      pkgrel: '1.1',
      epoch: 2,
      arch: ['x86_64', 'aarch64'],
      depends: ['glibc', 'libfoo.so=1-64', 'lib32-glibc'],
      makeDepends: ['git', 'cmake>=3'],
      checkDepends: ['python'],
      sources: ['fix::git+https://example.org/fix.git#branch=main', 'local.patch', 'https://example.org/blob'],
      validPgpKeys: ['0123456789ABCDEF0123456789ABCDEF01234567'],
    })
    const [fix, libs, documentation] = packages
    expect(fix).to.deep.include({ name: 'fix', groups: ['fixtures'], provides: ['fixture=1'] })
    expect(fix?.depends).to.include.members(['glibc', 'fix-libs>=1', 'lib32-glibc'])
    expect(libs).to.deep.equal({
      name: 'fix-libs',
      arch: ['x86_64', 'aarch64'],
      depends: [],
      optDepends: ['gtk+: for windows'],
      provides: ['libfix.so'],
      conflicts: ['fix-old'],
      replaces: ['fix-old<2'],
      groups: [],
    })
    expect(documentation).to.deep.include({ name: 'fix-doc', arch: ['any'], provides: ['fixture=1'] })
    expect(documentation?.depends).to.deep.equal(['lib32-glibc'])
  })

  it('gives another architecture its own dependencies', () => {
    const { depends, checkDepends, sources } = parseSrcinfo(written, 'aarch64')
    expect(depends).to.deep.equal(['glibc', 'libfoo.so=1-64', 'never'])
    expect(checkDepends).to.deep.equal([])
    expect(sources).to.have.length(2)
  })

  it('has no epoch where it says 0, as file names have none', () => {
    const text = plain.replace('\tpkgrel', '\tepoch = 0\n\tpkgrel')
    expect(parseSrcinfo(text, 'x86_64')).to.include({ version: '1.0-1', epoch: 0 })
  })

  it('may come without indentation, with comments, and with fields that nobody here knows', () => {
    const text = `# by hand\n\n${plain.replaceAll('\t', '')}xdata = something else\n`
    expect(parseSrcinfo(text, 'x86_64').packages.map(({ name }) => name)).to.deep.equal(['foo'])
  })

  const wrong: [string, string, RegExp][] = [
    ['nothing', '', /is empty/],
    ['no package', plain.replace('pkgname = foo', ''), /names no package/],
    ['a package before its pkgbase', plain.replace('pkgbase', 'pkgname'), /line 1 has pkgname/],
    ['a second pkgbase', `${plain}pkgbase = bar\n`, /line 7 has pkgbase/],
    ['a package twice', `${plain}pkgname = foo\n`, /a second time/],
    ['a line that is none', plain.replace('\tarch = any', 'any'), /line 4 is no "key = value"/],
    ['no version', plain.replace('\tpkgver = 1.0\n', ''), /no pkgver/],
    ['an empty version', plain.replace('1.0', ''), /no pkgver/],
    ['two versions', plain.replace('\tpkgrel', '\tpkgver = 2\n\tpkgrel'), /more than one pkgver/],
    ['a hyphen in its version', plain.replace('1.0', '1-0'), /"1-0-1" is no version/],
    ['a colon in its version', plain.replace('1.0', '1:0'), /is no version/],
    ['a slash in its version', plain.replace('1.0', '../1'), /is no version/],
    ['a release that makepkg refuses', plain.replace('pkgrel = 1', 'pkgrel = 1.1.1'), /is no version/],
    ['an epoch that is no number', plain.replace('\tpkgrel', '\tepoch = x\n\tpkgrel'), /is no version/],
    ['a name that is a path', plain.replace('pkgname = foo', 'pkgname = ../foo'), /is no name/],
    ['a name that is lost in JSON', plain.replace('pkgname = foo', 'pkgname = __proto__'), /is no name/],
    ['a pkgbase that begins with a hyphen', plain.replace('pkgbase = foo', 'pkgbase = -foo'), /is no name/],
    ['no architecture', plain.replace('\tarch = any\n', ''), /no arch/],
    ['an architecture that is a path', plain.replace('any', '../any'), /is no architecture/],
    ['a dependency that is an option', plain.replace('\tarch', '\tdepends = --root=/\n\tarch'), /is no dependency/],
    ['a provided name with a space', `${plain}\tprovides = a b\n`, /is no dependency/],
    [
      'an escape sequence',
      plain.replace('\tarch', '\tpkgdesc = \u001b[2J\n\tarch'),
      /line 4 holds a control character/,
    ],
    ['bytes that are no UTF-8', plain.replace('\tarch', '\tpkgdesc = \ufffd\n\tarch'), /line 4 .*UTF-8/],
    ['more than any recipe says', plain + '#'.repeat(2 ** 20), /longer than/],
  ]
  for (const [what, text, message] of wrong) {
    it(`is refused with ${what}`, () => {
      expect(() => parseSrcinfo(text, 'x86_64', 'packages/foo'))
        .to.throw(message)
        .with.property('code', 'SRCINFO_INVALID')
    })
  }

  const many = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('')
  const much: Record<string, [text: string, why: RegExp]> = {
    packages: [many(1001, (index) => `pkgname = p${index}\n`), /more than 1000 packages/],
    dependencies: [`${many(4001, (index) => `\tdepends = d${index}\n`)}pkgname = foo\n`, /more than 4000 dependencies/],
    'dependencies of its packages': [
      many(3, (index) => `pkgname = p${index}\n${many(1500, (one) => `\tprovides_x86_64 = d${one}\n`)}`),
      /more than 4000 dependencies/,
    ],
    'optional dependencies that hold for many packages': [
      many(9000, () => '\toptdepends = x\n') + many(100, (index) => `pkgname = p${index}\n`),
      /too much of too many packages/,
    ],
    'architectures that hold for many packages': [
      many(9000, () => '\tarch = any\n') + many(100, (index) => `pkgname = p${index}\n`),
      /too much of too many packages/,
    ],
  }
  for (const [what, [text, why]] of Object.entries(much)) {
    it(`is refused with too many ${what}: whoever reads it has to hold them`, () => {
      const head = plain.slice(0, plain.indexOf('pkgname'))
      expect(() => parseSrcinfo(head + text, 'x86_64'))
        .to.throw(why)
        .with.property('code', 'SRCINFO_INVALID')
    })
  }

  it('may have as many sources and optional dependencies as fit into it', () => {
    const lines = many(20_000, (index) => `\tsource = s${index}\n\toptdepends = o${index}\n`)
    const { sources, packages } = parseSrcinfo(plain.replace('pkgname', `${lines}pkgname`), 'x86_64')
    expect([sources.length, packages[0]?.optDepends.length]).to.deep.equal([20_000, 20_000])
  })

  it('names the recipe in errors', () => {
    expect(() => parseSrcinfo('', 'x86_64', 'the recipe foo')).to.throw(/makepkg says of the recipe foo cannot/)
  })

  it('is read or refused, whatever it is', () => {
    const line = fc.constantFrom(
      'pkgbase = foo',
      'pkgname = foo',
      '\tpkgver = 1',
      '\tpkgrel = 1',
      '\tarch = any',
      '\tepoch = ',
      '',
      '#',
      'x',
      '\t__proto__ = 1',
      '\tdepends = constructor',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 12 }), (lines) => {
        try {
          expect(parseSrcinfo(lines.join('\n'), 'x86_64').packages).not.to.deep.equal([])
        } catch (error) {
          expect(error).to.have.property('code', 'SRCINFO_INVALID')
        }
      }),
    )
  })
})
