import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { buildError, configurationError } from '../../src/model/errors.js'
import { readRuns, treesWithRuns } from '../../src/pipeline/last-run.js'
import { recordingRun } from '../../src/pipeline/record-run.js'
import type { RepoRunOutcome } from '../../src/pipeline/run-repo.js'
import { nothingBuilt } from '../../src/recipes/nothing-built.js'
import { failedRecipe } from '../../src/recipes/repo-outcome.js'
import { openStore } from '../../src/store/layout.js'
import { temporaryDirectory } from '../lab/temporary.js'

describe('what is recorded of runs', () => {
  const directory = temporaryDirectory()
  const open = () => openStore(join(directory(), 'srv'), { create: true })
  const fault = buildError('RECIPE_FAILED', 'makepkg failed', 'mend it')
  const failed = failedRecipe('beta', fault)
  const outcome: RepoRunOutcome = {
    name: 'own',
    status: 'built',
    number: 3,
    recipes: [{ base: 'alpha', status: 'built', version: '1-1' }, failed],
    partial: true,
    known: false,
  }

  it('is what the last one came to, recipe by recipe', async () => {
    const store = open()
    await recordingRun(store, 'own', () => Promise.resolve(outcome))
    const { last, running } = readRuns(store, 'own')
    expect(running).to.equal(undefined)
    expect(last).to.deep.include({ status: 'built', number: 3, partial: true, recipes: outcome.recipes })
    expect(Date.parse(last!.ended)).to.be.at.least(Date.parse(last!.began))
    expect(treesWithRuns(store)).to.deep.equal(['own'])
    expect(readRuns(store, 'other')).to.deep.equal({})
  })

  it('has the recipes and the error of a run in which nothing could be built', async () => {
    const store = open()
    const error = await recordingRun(store, 'own', () => {
      throw nothingBuilt('own', [failed, { ...failed, base: 'gamma' }], [fault, fault])
    }).catch((caught: unknown) => caught)
    expect(error).to.include({ code: 'RECIPES_FAILED' })
    const { last } = readRuns(store, 'own')
    expect(last).to.deep.include({ status: 'failed', partial: true, recipes: [failed, { ...failed, base: 'gamma' }] })
    expect(last?.error).to.include({ code: 'RECIPES_FAILED' })
  })

  it('keeps what failed where a later run found nothing new to try', async () => {
    const store = open()
    await recordingRun(store, 'own', () => Promise.resolve(outcome))
    await recordingRun(store, 'own', () => Promise.resolve({ name: 'own', status: 'skipped', reason: 'nothing new' }))
    const { last, checked } = readRuns(store, 'own')
    expect(last?.recipes).to.deep.equal(outcome.recipes)
    expect(Date.parse(checked!)).to.be.at.least(Date.parse(last!.ended))
  })

  it('says while a run is at work, and after it was killed, that it has not ended', async () => {
    const store = open()
    await recordingRun(store, 'own', (before) => {
      expect(before).to.deep.equal({})
      expect(Date.parse(readRuns(store, 'own').running!)).to.be.greaterThan(0)
      return Promise.resolve(outcome)
    })
    expect(readRuns(store, 'own')).not.to.have.property('running')
  })

  it('may be damaged without anything but what is told being lost', async () => {
    const store = open()
    await recordingRun(store, 'own', () => Promise.resolve(outcome))
    for (const text of ['', '{', '{"schema":2}', JSON.stringify({ schema: 1, tree: 'another' })]) {
      writeFileSync(join(store.root, 'runs/own.json'), text)
      expect(readRuns(store, 'own'), text).to.deep.equal({})
    }
    const refused = configurationError('KEY_EXPIRED', 'it has expired', 'extend it')
    await recordingRun(store, 'own', () => Promise.reject(refused)).catch(() => undefined)
    expect(readRuns(store, 'own').last).to.deep.include({ status: 'failed', recipes: [] })
  })
})
