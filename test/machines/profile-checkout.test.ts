import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { MachineConfig } from '../../src/config/config.js'
import { fetchProfile } from '../../src/machines/profile-checkout.js'
import { commitAll } from '../lab/commit-all.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe("a machine's profile in its repository", () => {
  const directory = temporaryDirectory()
  const remote = () => join(directory(), 'remote')
  const clone = () => join(directory(), 'clone')
  const fetchAt = (path?: string) => {
    commitAll(remote())
    return fetchProfile({ profile: { url: remote(), branch: undefined, path } } as MachineConfig, clone(), silent)
  }
  const failureAt = async (path?: string) => {
    const error = await fetchAt(path).then(
      () => undefined,
      (caught: unknown) => caught as { code: string; message: string; hint: string },
    )
    return { code: error?.code, message: error?.message, hint: error?.hint }
  }

  beforeEach(() => {
    writeFiles(remote(), { 'real/etc-portage/make.conf': '', 'real/world': 'a/b\n', README: '' })
  })

  it('may be a link to another directory of it, whose edits are noticed', async () => {
    symlinkSync('real', join(remote(), 'database'))
    const before = await fetchAt('database')
    expect(before.directory).to.equal(join(clone(), 'real'))
    writeFiles(remote(), { 'real/world': 'a/c\n' })
    expect((await fetchAt('database')).input.fingerprint).to.not.equal(before.input.fingerprint)
  })

  for (const [what, path, target] of [
    ['a link to a directory of this host', 'database', 'HOST'],
    ['a link above it', 'database/box', 'HOST/..'],
    ['a link into .git', 'database', '.git/refs'],
  ] as const) {
    it(`that leads out of the checkout (${what}) is refused`, async () => {
      const host = join(directory(), 'box')
      writeFiles(host, { 'etc-portage/make.conf': 'secret', world: '' })
      symlinkSync(target.replace('HOST', host), join(remote(), 'database'))
      expect(await failureAt(path)).to.include({ code: 'PROFILE_OUTSIDE' })
    })
  }

  it('that is missing is told with the URL and the directories that there are', async () => {
    const { code, message } = await failureAt('databse')
    expect(code).to.equal('PROFILE_MISSING')
    expect(message).to.equal(`${remote()} has no directory databse (it has: real)`)
    symlinkSync('nowhere', join(remote(), 'dangling'))
    expect(await failureAt('dangling')).to.include({ code: 'PROFILE_MISSING' })
  })

  it('that has no profile.path set is told with the URL, not with the clone', async () => {
    const { message, hint } = await failureAt()
    expect(message).to.equal(`${remote()} holds no machine profile`)
    expect(hint).to.contain('it has README, real: ')
  })
})
