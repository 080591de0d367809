import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { buildError, publishError } from '../../src/model/errors.js'
import type { RecipeRecord } from '../../src/model/recipes.js'
import { recordingRun } from '../../src/pipeline/record-run.js'
import { failedRecipe } from '../../src/recipes/repo-outcome.js'
import { recordUpload } from '../../src/pipeline/upload-record.js'
import { openStore } from '../../src/store/layout.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { archiveRepo } from '../store/repo.js'
import { compile, documentOf, treeswap } from './treeswap.js'

const failed: RecipeRecord = {
  source: 'https://git.example.org/recipes.git',
  directory: 'beta',
  commit: 'a'.repeat(40),
  fingerprint: 'b'.repeat(64),
  version: '1-1',
  packages: [],
  built: 0,
  dependencies: new Map(),
  status: 'failed',
  reason: 'makepkg failed',
}

describe('treeswap status of a pacman repo', function () {
  this.timeout(60_000)
  before(compile)
  const directory = temporaryDirectory()
  const at = () => ({ cwd: directory() })
  const store = () => openStore(join(directory(), 'store'))
  const host = (name: string) => ({ name, host: `${name}.example.org`, directory: '/srv/www' })

  beforeEach(async () => {
    const upload = (name: string) => ({
      host: `${name}.example.org`,
      user: 'www',
      directory: '/srv/www',
      'host-fingerprint': `SHA256:${'A'.repeat(43)}`,
    })
    const names = ['one', 'two', 'three']
    const uploads = Object.fromEntries(names.map((name) => [name, upload(name)]))
    const box = { repositories: [{ url: 'https://git.example.org/recipes.git' }], upload: names }
    const configuration = { schema: 1, publisher: { root: 'store' }, chroots: { box: {} }, pacman: { box }, uploads }
    writeFileSync(join(directory(), 'treeswap.yaml'), JSON.stringify(configuration))
    const recipes = new Map([['beta', failed]])
    for (const number of [1, 2]) {
      await archiveRepo(join(directory(), 'artifacts'), number, { alpha: {} }, { tree: 'box', recipes })
      const made = await treeswap(['publish', `box@${number}`, '--from', 'dir:artifacts', '--no-upload'], at())
      expect(made.exitCode, made.stderr).to.equal(0)
    }
  })

  const lines = async (...args: string[]) => (await treeswap(['status', ...args], at())).stdout.split('\n')

  it('says of each host which generation it has, and whether that is what is published', async () => {
    recordUpload(store(), { tree: 'box', serial: 1 }, host('one'), {})
    recordUpload(store(), { tree: 'box', serial: 2 }, host('two'), {})
    const error = publishError('UPLOAD_KEY_REFUSED', 'one.example.org takes no such key', 'give it the key')
    recordUpload(store(), { tree: 'box', serial: 2 }, host('one'), { error })
    const { trees } = documentOf(await treeswap(['status', '--json'], at())) as unknown as { trees: [object] }
    expect(trees[0]).to.have.nested.property('uploads[0].generation', 1)
    expect(trees[0]).to.have.nested.property('uploads[0].behind', true)
    expect(trees[0]).to.have.nested.property('uploads[0].failure.code', 'UPLOAD_KEY_REFUSED')
    expect(trees[0]).to.have.nested.property('uploads[1].behind', false)
    expect(trees[0]).to.have.nested.property('uploads[2].generation', null)
    const text = (await lines('box')).join('\n')
    expect(text).to.match(/upload to one \(one\.example\.org\): generation 1, .* UTC, which is not what is published/)
    expect(text).to.match(
      /upload of generation 2 failed .* \[UPLOAD_KEY_REFUSED\]: one\.example\.org takes no such key/,
    )
    expect(text).to.match(/upload to two \(two\.example\.org\): generation 2, .* UTC$/m)
    expect(text).to.include('upload to three (three.example.org): unknown')
  })

  it('names what failed in the last run, with code and reason in one line each', async () => {
    const fault = buildError('RECIPE_FAILED', 'makepkg failed:\nan error\nin two lines', 'mend it')
    const recipes = [failedRecipe('beta', fault), { base: 'alpha', status: 'built' as const, version: '1-1' }]
    const outcome = { name: 'box', status: 'built' as const, number: 2, recipes, partial: true, known: false }
    await recordingRun(store(), 'box', () => Promise.resolve(outcome))
    const text = await lines()
    expect(text.find((line) => line.startsWith('  last run '))).to.match(/UTC: built \(box@2\), not everything$/)
    expect(text).to.include('  beta: failed: makepkg failed: an error in two lines [RECIPE_FAILED]')
    expect(text.join('\n')).not.to.include('alpha')
  })

  it('says what builds tell where no run was on this host, as with Jenkins', async () => {
    const text = await lines('box')
    expect(text).to.include('  no run is recorded on this host')
    expect(text).to.include('  beta: failed: makepkg failed')
  })
})
