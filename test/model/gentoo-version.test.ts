import { expect } from 'chai'
import { compareVersions, splitCpv } from '../../src/model/gentoo-version.js'

/** Pairs whose order portage.versions.vercmp gives as: older, newer. */
const rising = [
  ['1', '2'],
  ['1.9', '1.10'],
  ['1.0', '1.0.0'],
  ['1.01', '1.1'],
  ['1.001', '1.01'],
  ['1.2', '1.2a'],
  ['1.2a', '1.2b'],
  ['1_alpha', '1_beta'],
  ['1_pre2', '1_rc1'],
  ['1_rc9', '1'],
  ['1', '1_p1'],
  ['1_p1', '1_p2'],
  ['1_p1_rc1', '1_p1'],
  ['1', '1-r1'],
  ['1-r9', '1-r10'],
  ['1_p', '1_p1'],
  ['20240101', '202401010'],
] as const

describe('Gentoo versions', () => {
  for (const [older, newer] of rising) {
    it(`${older} is older than ${newer}`, () => {
      expect(compareVersions(older, newer)).to.be.lessThan(0)
      expect(compareVersions(newer, older)).to.be.greaterThan(0)
    })
  }

  it('takes different spellings of one version for equal', () => {
    expect(compareVersions('1.10', '1.10-r0')).to.equal(0)
    expect(compareVersions('1.010', '1.01')).to.equal(0)
    expect(compareVersions('1_p0', '1_p')).to.equal(0)
  })

  it('finds where a name ends', () => {
    expect(splitCpv('dev-lang/python-exec-2.4.10-r1')).to.deep.equal({
      name: 'dev-lang/python-exec',
      version: '2.4.10-r1',
    })
    expect(splitCpv('x11-libs/gtk+-2.24')).to.deep.equal({ name: 'x11-libs/gtk+', version: '2.24' })
    expect(splitCpv('acct-user/root')).to.equal(undefined)
  })
})
