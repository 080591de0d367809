import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { writeFiles } from '../lab/temporary.js'

export interface TinyPackage {
  /** CATEGORY/NAME-VERSION; the category is app-test or sys-test */
  cpv: string
  depends?: string
  /** bash of src_compile; default: nothing */
  compile?: string
  /** bash of src_install, after the file that every package installs */
  install?: string
  iuse?: string
  /** SRC_URI; needs a Manifest */
  source?: string
}

/** Writes an ebuild repo whose packages take no time to build: each installs /usr/share/NAME/version. */
export function writeTinyRepo(directory: string, name: string, packages: readonly TinyPackage[]): void {
  writeFiles(directory, {
    'profiles/repo_name': `${name}\n`,
    'profiles/eapi': '8\n',
    'profiles/arch.list': 'amd64\n',
    'profiles/categories': 'app-test\nsys-test\n',
    'profiles/profiles.desc': 'amd64 base stable\namd64 base/system stable\n',
    'profiles/base/eapi': '8\n',
    'profiles/base/make.defaults': [
      'ARCH="amd64"',
      'ACCEPT_KEYWORDS="amd64"',
      'ACCEPT_LICENSE="*"',
      'CHOST="x86_64-pc-linux-gnu"',
      'ELIBC="glibc"',
      'KERNEL="linux"',
      'USERLAND="GNU"',
      'FEATURES="-sandbox -usersandbox"',
      '',
    ].join('\n'),
    'profiles/base/system/eapi': '8\n',
    'profiles/base/system/parent': '..\n',
    'profiles/base/system/packages': '*sys-test/base\n',
    'metadata/layout.conf': 'masters =\nthin-manifests = true\ncache-formats = md5-dict\n',
    ...Object.fromEntries(packages.map(ebuild)),
  })
}

/** The path below the repo and the text of a package's ebuild. */
export function ebuild({
  cpv,
  depends = '',
  compile = ':',
  install = ':',
  iuse = '',
  source = '',
}: TinyPackage): [string, string] {
  const [category = '', pf = ''] = cpv.split('/')
  const name = pf.replace(/-[0-9].*$/, '')
  const lines = [
    'EAPI=8',
    `DESCRIPTION="${name}"`,
    'HOMEPAGE="https://example.org"',
    'S="${WORKDIR}"',
    'LICENSE="MIT"',
    'SLOT="0"',
    'KEYWORDS="amd64"',
    `SRC_URI="${source}"`,
    `IUSE="${iuse}"`,
    `RDEPEND="${depends}"`,
    'DEPEND="${RDEPEND}"',
    `src_compile() {\n${compile}\n}`,
    `src_install() {\necho "\${PVR}" > version\ninsinto /usr/share/\${PN}\ndoins version\n${install}\n}`,
  ]
  return [`${category}/${name}/${pf}.ebuild`, lines.join('\n') + '\n']
}

/** Writes a profile: etc-portage/ with a relative make.profile, as a stage3 has it, and world. */
export function writeProfile(directory: string, world: readonly string[], profile = 'base'): void {
  writeFiles(directory, {
    'etc-portage/make.conf': 'CFLAGS="-O2"\nEMERGE_DEFAULT_OPTS="--ask --getbinpkg"\nFEATURES="getbinpkg"\n',
    world: world.map((atom) => `${atom}\n`).join(''),
  })
  symlinkSync(`../../var/db/repos/gentoo/profiles/${profile}`, join(directory, 'etc-portage/make.profile'))
}
