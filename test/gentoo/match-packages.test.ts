import { expect } from 'chai'
import { matchPackages } from '../../src/gentoo/match-packages.js'

const stanza = (CPV: string, BUILD_TIME: string, BUILD_ID: string) =>
  new Map(Object.entries({ CPV, BUILD_TIME, BUILD_ID, PATH: `${CPV}-${BUILD_ID}.gpkg.tar` }))
const pkg = (cpv: string, buildTime: string, buildId: string) => ({ cpv, buildTime, buildId })

describe('the binary package of an installed package', () => {
  it('is the one of the same build, not another build of the same version', () => {
    const index = [stanza('a/b-1', '100', '1'), stanza('a/b-1', '200', '2')]
    const { packaged, unpackaged } = matchPackages([pkg('a/b-1', '100', '1')], index)
    expect(packaged.map((found) => found.get('BUILD_ID'))).to.deep.equal(['1'])
    expect(unpackaged).to.deep.equal([])
  })

  it('is missing where only another build or another version was packed', () => {
    const index = [stanza('a/b-1', '100', '1'), stanza('a/b-2', '300', '1')]
    const installed = [pkg('a/b-1', '999', '1')]
    expect(matchPackages(installed, index)).to.deep.equal({ packaged: [], unpackaged: installed })
  })

  it('is the newest where quickpkg packed one build again under a new id', () => {
    const index = [stanza('a/b-1', '100', '2'), stanza('a/b-1', '100', '10')]
    const { packaged } = matchPackages([pkg('a/b-1', '100', '')], index)
    expect(packaged.map((found) => found.get('BUILD_ID'))).to.deep.equal(['10'])
  })
})
