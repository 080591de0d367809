/** The text of a PKGBUILD. @param lines what follows its head: dependencies, sources, functions */
export function pkgbuild(
  name: string,
  version: string,
  lines: string,
  { description = `Fixture ${name}`, architecture = 'x86_64' } = {},
): string {
  return `pkgname=${name}
pkgver=${version}
pkgrel=1
pkgdesc='${description}'
arch=(${architecture})
license=(custom)
${lines}
`
}
