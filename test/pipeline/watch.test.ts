import { expect } from 'chai'
import { symlinkSync } from 'node:fs'
import type { Input } from '../../src/model/build.js'
import { buildError, configurationError, infrastructureError, publishError } from '../../src/model/errors.js'
import { FailedBuilds } from '../../src/pipeline/failed-builds.js'
import { watchTrees } from '../../src/pipeline/watch.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { RunSite } from './run-site.js'

describe('a build that failed, while watching', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()

  it('is left alone until its inputs change, and that is said once', async () => {
    const site = new RunSite(directory())
    site.repo('base')
    site.profile()
    symlinkSync('/etc/hostname', site.path('git/profile/etc-portage/outside'))
    site.profile()
    const config = site.config(['base'], { box: ['base'] })
    const rounds: string[][] = []
    const stop = new AbortController()
    await watchTrees(config, { trees: [], tools: {} }, { ...silent, signal: stop.signal }, ({ machines }) => {
      rounds.push(machines.map((machine) => machine.status))
      if (rounds.length === 3) site.profile({ 'etc-portage/make.conf': 'USE="new"' })
      if (rounds.length === 4) stop.abort()
    })
    expect(rounds).to.deep.equal([['failed'], ['skipped'], [], ['failed']])
  })

  const inputs = (fingerprint: string): Input[] => [{ name: 'base', fingerprint }]
  for (const [what, error, isTriedAgain] of [
    ['a package that does not build', buildError('PACKAGE_FAILED', '', ''), false],
    ['a bad profile', configurationError('PROFILE_LINK', '', ''), false],
    ['a mirror that is down', infrastructureError('FETCH_FAILED', '', ''), true],
    ['an archive that was refused', publishError('ARCHIVE_REFUSED', '', ''), false],
    ['a chroot that is missing', configurationError('CHROOT_MISSING', '', ''), true],
    ['something unknown', new Error('unknown'), true],
  ] as const) {
    it(`is ${isTriedAgain ? '' : 'not '}tried again after ${what}`, async () => {
      const failed = new FailedBuilds()
      await failed.trying('box', inputs('1'), () => Promise.reject(error)).catch(() => undefined)
      expect(failed.refuse('box', inputs('1')) === undefined).to.equal(isTriedAgain)
      expect(failed.refuse('box', inputs('2'))).to.equal(undefined)
      expect(failed.refuse('web', inputs('1'))).to.equal(undefined)
    })
  }
})
