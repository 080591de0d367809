import { expect } from 'chai'
import { parseReference } from '../../src/model/reference.js'

describe('a reference', () => {
  const cases = {
    database: undefined,
    'database@12': { kind: 'number', number: 12 },
    'database@published': { kind: 'published' },
    'database@latest': { kind: 'latest' },
    'database@-1': { kind: 'previous' },
    'database@stable-2026': { kind: 'tag', tag: 'stable-2026' },
  }
  for (const [text, build] of Object.entries(cases)) {
    it(`${text} is understood`, () => {
      expect(parseReference(text)).to.deep.equal({ tree: 'database', build })
    })
  }

  it('that repeats the tree after the @ is refused with what to write in a job', () => {
    for (const text of ['database@database@12', 'database@#12']) {
      expect(() => parseReference(text))
        .to.throw(`"${text}" does not name a build`)
        .with.property('hint')
        .that.includes('only what follows the @: 12')
    }
  })

  for (const text of ['database@', 'database@0', 'database@-2', 'database@1.5', 'database@../x', '@1', '../x@1']) {
    it(`${text} is refused`, () => {
      expect(() => parseReference(text))
        .to.throw()
        .with.property('category', 'configuration')
    })
  }
})
