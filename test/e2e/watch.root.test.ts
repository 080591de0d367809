import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { ArchSite, recipe } from './arch-site.js'
import { Site } from './site.js'
import { ebuild, writeProfile, writeTinyRepo } from './tiny-repo.js'

describe('treeswap run --watch', function () {
  this.timeout(300_000)

  before(needsRoot)
  after(() => {
    Site.removeAll()
    ArchSite.removeAll()
  })

  it('builds what is committed while it runs, goes on after a failure, and ends cleanly when it is told to', async () => {
    const site = await Site.create({ repo: '    poll: 1s\n', machine: '    poll: 1s\n' })
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/tool-1' }])
    writeProfile(site.path('git/profile'), ['app-test/tool'])
    site.commit('gentoo')
    site.commit('profile')
    const commit = (cpv: string, compile: string) => {
      const [path, text] = ebuild({ cpv, compile })
      writeFiles(site.path('git/gentoo'), { [path]: text })
      site.commit('gentoo')
    }
    const stop = new AbortController()
    const story: [RegExp, () => void][] = [
      [
        /database@1: .*published as generation 1/,
        () => {
          commit('app-test/tool-2', 'die')
        },
      ],
      [
        /database: failed/,
        () => {
          commit('app-test/tool-3', ':')
        },
      ],
      [
        /database@2: .*published as generation 2/,
        () => {
          stop.abort()
        },
      ],
    ]
    const result = await site.start(['run', '--watch'], {
      signal: stop.signal,
      onLine: (line) => goOn(story, line),
    })
    expect(result.exitCode).to.be.oneOf([0, 143])
    expect(story).to.have.length(0)
    const index = readFileSync(site.path('srv/published/database/.binpkgs/Packages'), 'utf8')
    expect(index).to.contain('CPV: app-test/tool-3')
    expect(site.processes()).to.deep.equal([])
  })

  it('tries a recipe that failed again when something is new, not at every poll', async () => {
    const site = await ArchSite.create(`
chroot: own
repositories: [{ url: PATH/git/recipes, poll: 1s }]
`)
    const commit = (version: string, lines = '') =>
      site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version, lines }) })
    await commit('1', 'build() { false; }')
    const stop = new AbortController()
    const told: string[] = []
    const story: [RegExp, () => unknown][] = [
      [/not built: nothing has changed since these were tried: alpha$/, () => setTimeout(() => void commit('2'), 3000)],
      [/own@1: built and published/, () => stop.abort()],
    ]
    const result = await site.start(['run', '--watch'], {
      signal: stop.signal,
      onLine: (line) => {
        told.push(line)
        goOn(story, line)
      },
    })
    expect(result.exitCode).to.be.oneOf([0, 143])
    expect(story).to.have.length(0)
    expect(told.filter((line) => line.startsWith('==> building alpha'))).to.have.length(2)
    expect(told.filter((line) => line.includes('nothing has changed since'))).to.have.length(1)
    expect(told.filter((line) => line.startsWith('==> fetching the recipes')).length).to.be.at.least(4)
  })
})

/** Does what comes next where a line is what it waits for. */
function goOn(story: [RegExp, () => unknown][], line: string): void {
  const [next] = story
  if (!next?.[0].test(line)) return
  story.shift()
  next[1]()
}
