import { expect } from 'chai'
import { existsSync, readdirSync } from 'node:fs'
import { buildError } from '../../src/model/errors.js'
import { FailedBuilds } from '../../src/pipeline/failed-builds.js'
import { TriedRecipes } from '../../src/recipes/wanted-recipes.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('what was tried by a run of a timer', () => {
  const directory = temporaryDirectory()
  const open = (recalls = true) => TriedRecipes.kept(directory(), recalls)
  const wanted = new Map([['alpha', '1']])

  it('is not tried again by the next one, before something has changed', () => {
    const first = open()
    expect(first.take('own', wanted)).to.equal(true)
    first.ended('own', 'in a day')
    expect(open().take('own', wanted)).to.equal(false)
    expect(open().take('other', wanted)).to.equal(true)
    expect(open().take('own', new Map([['alpha', '2']]))).to.equal(true)
    expect(open().take('own', new Map([...wanted, ['beta', '1']]))).to.equal(true)
  })

  it('is tried again where that run was killed in the middle of it', () => {
    expect(open().take('own', wanted)).to.equal(true)
    expect(open().take('own', wanted)).to.equal(true)
  })

  it('is tried again at once where the host was at fault', () => {
    const first = open()
    first.take('own', wanted)
    first.ended('own', 'in a day')
    const second = open(false)
    second.take('own', wanted)
    second.ended('own', 'at once')
    expect(open().take('own', wanted)).to.equal(true)
    expect(readdirSync(directory())).to.deep.equal([])
  })

  it('is tried by a run that does not ask what was tried before, and counts from then on', () => {
    const first = open()
    first.take('own', wanted)
    first.ended('own', 'in a day')
    const second = open(false)
    expect(second.take('own', wanted)).to.equal(true)
    second.ended('own', 'in a day')
    expect(open().take('own', wanted)).to.equal(false)
  })

  it('may be a machine, whose inputs are the same', async () => {
    const inputs = [{ name: 'gentoo', fingerprint: 'f1' }]
    const failing = () => Promise.reject(buildError('PACKAGE_FAILED', 'it failed', 'mend it'))
    await FailedBuilds.kept(directory(), true)
      .trying('box', inputs, failing)
      .catch(() => undefined)
    expect(FailedBuilds.kept(directory(), true).refuse('box', inputs)?.reason).to.include('PACKAGE_FAILED')
    expect(FailedBuilds.kept(directory(), false).refuse('box', inputs)).to.equal(undefined)
    await FailedBuilds.kept(directory(), false).trying('box', inputs, () => Promise.resolve())
    expect(FailedBuilds.kept(directory(), true).refuse('box', inputs)).to.equal(undefined)
    expect(existsSync(`${directory()}/box.json`)).to.equal(false)
  })
})
