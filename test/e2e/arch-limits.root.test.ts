import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { needsRoot } from '../lab/needs-root.js'
import { ArchSite, recipe } from './arch-site.js'

describe('a recipe that takes more than it may', function () {
  this.timeout(600_000)
  before(needsRoot)
  after(() => {
    ArchSite.removeAll()
  })

  it('is ended when it fills the disk, with what it has filled, and the others are built', async () => {
    const site = await ArchSite.create('repositories: [{ url: PATH/git/recipes }]\nlimits: { disk: 60M }')
    const filling = 'build() { head -c 100M /dev/zero > "$SRCDEST/much"; sync; sleep 300; }'
    await site.commit('recipes', {
      'filling/PKGBUILD': recipe('filling', { lines: filling }),
      'modest/PKGBUILD': recipe('modest'),
    })
    const run = await site.run()
    expect(run.recipes.map(({ base, status, code }) => [base, status, code])).to.have.deep.members([
      ['modest', 'built', undefined],
      ['filling', 'failed', 'LIMIT_DISK'],
    ])
    expect(run.recipes.find(({ base }) => base === 'filling')?.hint).to.include('limits.disk of the repo')
    expect(readdirSync(site.path('builder/distfiles/own/own'))).to.deep.equal(['modest'])
    expect(readdirSync(site.path('builder/work/runs/own'))).to.deep.equal([])
  })
})
