import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { needsRoot } from '../lab/needs-root.js'
import { ArchSite, recipe } from './arch-site.js'

describe('a pacman repo with recipes at the edges', function () {
  this.timeout(600_000)
  let site: ArchSite
  let server: Server
  let served = 0

  before(needsRoot)
  before(async () => {
    server = createServer((_request, answer) => {
      served++
      answer.end('the source\n')
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    site = await ArchSite.create(`repositories: [{ url: PATH/git/recipes }]`)
  })
  after(() => {
    server.close()
    ArchSite.removeAll()
  })

  const downloading = (version: string): string => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/source.txt`
    return recipe('downloading', { version, lines: `source=('${url}')\nsha256sums=(SKIP)` })
  }
  const statuses = ({ recipes }: Awaited<ReturnType<ArchSite['run']>>): string[] =>
    recipes.map(({ base, status, reason }) => [base, status, ...(reason === undefined ? [] : [reason])].join(' '))

  it('has those whose .SRCINFO is longer than what is kept of a log', async () => {
    const many = Array.from({ length: 2100 }, (_, index) => `'opt${index}: why'`).join(' ')
    await site.commit('recipes', {
      'long/PKGBUILD': recipe('long', { lines: `optdepends=(${many})` }),
      'downloading/PKGBUILD': downloading('1.0'),
    })
    expect(statuses(await site.run())).to.have.members(['long built', 'downloading built'])
    expect(served).to.equal(1)
  })

  it('fetches sources again that an earlier root had, where the new one cannot own them', async () => {
    expect((await site.start(['chroot', 'remove', 'own'])).exitCode).to.equal(0)
    await site.commit('recipes', { 'downloading/PKGBUILD': downloading('1.1') })
    expect(statuses(await site.run())).to.deep.equal(['downloading built'])
    expect(served).to.equal(2)
  })
})
