import { expect } from 'chai'
import { formatPackages, packagePath, parsePackages } from '../../src/model/packages-index.js'

const text = `ARCH: amd64
PACKAGES: 2
TIMESTAMP: 1700000000
VERSION: 0
X-FROM-TOMORROW: a: b

BUILD_ID: 1
CPV: app-misc/hello-2.10
MTIME: 5
PATH: app-misc/hello/hello-2.10-1.gpkg.tar
SIZE: 100
USE:

CPV: dev-libs/old-1
SIZE: 7

`

describe('Packages, the index of binary packages', () => {
  it('is written as it was read, unknown fields and order included', () => {
    const again = formatPackages(parsePackages(text, 'test'))
    expect(again.replace('USE: \n', 'USE:\n')).to.equal(text)
  })

  it('counts the packages it names', () => {
    const index = parsePackages(text, 'test')
    index.stanzas.pop()
    expect(formatPackages(index)).to.contain('PACKAGES: 1\n')
  })

  it('knows the path of a package that names none', () => {
    const { stanzas } = parsePackages(text, 'test')
    expect(stanzas.map(packagePath)).to.deep.equal(['app-misc/hello/hello-2.10-1.gpkg.tar', 'dev-libs/old-1.tbz2'])
  })

  it('may name no package at all', () => {
    expect(parsePackages('PACKAGES: 0\n\n', 'test').stanzas).to.have.length(0)
  })

  for (const [what, broken] of [
    ['is empty', '\n\n'],
    ['is HTML', '<html>\n<body>login</body>\n'],
    ['has lost its header', 'CPV: a/b-1\n\nCPV: a/c-1\n'],
    ['has a stanza without a name', 'PACKAGES: 1\n\nSIZE: 3\n'],
  ] as const) {
    it(`is refused when it ${what}, and the error names the file`, () => {
      expect(() => parsePackages(broken, 'Packages of box@3'))
        .to.throw('Packages of box@3')
        .with.property('code', 'PACKAGES_INVALID')
    })
  }
})
