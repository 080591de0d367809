import { expect } from 'chai'
import { wronglyListed } from '../../src/publish/listed.js'

describe('what pacman lists of a repo', () => {
  const files = ['one-1.0-1-any.pkg.tar.zst', 'lib-one-2:1.0-1.1-x86_64.pkg.tar.zst']

  it('is right where it has each package in its version, and no other', () => {
    expect(wronglyListed('lab one 1.0-1\nlab lib-one 2:1.0-1.1 [installed]\n', files)).to.equal(undefined)
    expect(wronglyListed('', [])).to.equal(undefined)
    expect(wronglyListed('lab one 1.0-1\n', files)).to.equal('no lib-one-2:1.0-1.1-x86_64.pkg.tar.zst')
    expect(wronglyListed('lab one 1.0-2\nlab lib-one 2:1.0-1.1\n', files)).to.equal('no one-1.0-1-any.pkg.tar.zst')
    expect(wronglyListed('lab one 1.0-1\nlab lib-one 2:1.0-1.1\nlab two 1-1\n', files)).to.equal('3 packages of 2')
  })

  it('may be as much as a distribution has: nothing is looked for among all for each', () => {
    const names = Array.from({ length: 30_000 }, (_, index) => `package-${index}`)
    const listed = names.map((name) => `lab ${name} 1.0-1\n`).join('')
    const packages = names.map((name) => `${name}-1.0-1-any.pkg.tar.zst`)
    expect(wronglyListed(listed, packages)).to.equal(undefined)
  })
})
