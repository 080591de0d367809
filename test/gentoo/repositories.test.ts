import { expect } from 'chai'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { mastersOf, repoNameOf, repositoriesConfiguration, requireRepoName } from '../../src/gentoo/repositories.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('an ebuild repo', () => {
  const directory = temporaryDirectory()

  it('without profiles/repo_name is refused', () => {
    writeFiles(directory(), { 'profiles/repo_name': '\n' })
    expect(() => repoNameOf(directory()))
      .to.throw()
      .with.property('code', 'REPO_NAME_MISSING')
  })

  it('that names itself by a link is refused, and what the link leads to is not shown', () => {
    writeFiles(directory(), { 'profiles/eapi': '8', secret: 'secret of the host' })
    symlinkSync('../secret', join(directory(), 'profiles/repo_name'))
    expect(() => repoNameOf(directory()))
      .to.throw(/^(?!.*secret of).*$/)
      .with.property('code', 'REPO_NAME_MISSING')
  })

  it('whose name would leave its directory is refused', () => {
    writeFiles(directory(), { 'profiles/repo_name': '../../etc\n' })
    expect(() => repoNameOf(directory()))
      .to.throw()
      .with.property('code', 'NAME_INVALID')
  })

  it('configured under another name than its own is refused with its own name', () => {
    writeFiles(directory(), { 'profiles/repo_name': 'guru\n' })
    expect(() => {
      requireRepoName(directory(), 'overlay')
    }).to.throw(/calls itself guru, not overlay/)
  })

  it('names the repos it builds upon', () => {
    writeFiles(directory(), {
      'metadata/layout.conf': '# masters = no\nthin-manifests = true\nmasters = gentoo  science\n',
    })
    expect(mastersOf(directory())).to.deep.equal(['gentoo', 'science'])
  })

  it('comes first in the configuration when it is the main one', () => {
    const text = repositoriesConfiguration([
      { name: 'gentoo', directory: '/a' },
      { name: 'guru', directory: '/b' },
    ])
    expect(text).to.contain('main-repo = gentoo').and.to.contain('[guru]\nlocation = /var/db/repos/guru')
  })
})
