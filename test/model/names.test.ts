import { expect } from 'chai'
import fc from 'fast-check'
import { didYouMean, validName } from '../../src/model/names.js'

describe('a name', () => {
  it('that is taken is safe as a path component and as an argument, whatever was given', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let name: string
        try {
          name = validName('tree', text)
        } catch {
          return true
        }
        return name === text && !name.includes('/') && !name.includes('..') && /^[A-Za-z0-9]/.test(name)
      }),
    )
  })

  for (const name of ['../x', '..', '.', '', '-rf', 'a/b', 'a\nb', 'a\0b', 'ä', 'x'.repeat(65), 'repos', 'published']) {
    it(`${JSON.stringify(name).slice(0, 20)} is refused for a tree`, () => {
      expect(() => validName('tree', name))
        .to.throw()
        .with.property('code', 'NAME_INVALID')
    })
  }

  it('of an ebuild repo has the letters that Gentoo allows, and no dot', () => {
    expect(validName('ebuild repo', '_my-overlay')).to.equal('_my-overlay')
    expect(() => validName('ebuild repo', 'my.overlay')).to.throw()
  })

  it('mistyped brings the one that was meant', () => {
    expect(didYouMean('databse', ['web', 'database'])).to.equal('did you mean database?')
    expect(didYouMean('xyz', ['web', 'database'])).to.equal('')
  })
})
