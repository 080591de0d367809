import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { RootService } from '../../src/chroot/requests.js'
import { parseConfig } from '../../src/config/load.js'
import { buildError } from '../../src/model/errors.js'
import { builderDirectories } from '../../src/pipeline/directories.js'
import { readRecipes } from '../../src/pipeline/recipe-srcinfo.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('copies of recipes that are read', () => {
  const directory = temporaryDirectory()

  it('are gone afterwards, and with the next run where that was killed', async () => {
    writeFiles(directory(), { 'recipe/PKGBUILD': '', 'work/runs/own/recipes/recipe-killed/PKGBUILD': '' })
    const { pacman } = parseConfig(
      'schema: 1\npacman: { own: { chroot: own, repositories: [{ url: ./x }] } }\n',
      join(directory(), 'treeswap.yaml'),
    )
    const copies = join(directory(), 'work/runs/own/recipes')
    const seen: string[] = []
    const service = {
      scratch: () => {
        seen.push(...readdirSync(copies))
        return Promise.reject(buildError('RECIPE_INVALID', 'this root reads no recipes', ''))
      },
    } as unknown as RootService
    const recipe = { directory: join(directory(), 'recipe'), source: 'x', path: 'y', release: undefined }
    const found = { ...recipe, commit: 'c', commitTime: 0, content: 'd' }
    const [read] = await readRecipes([found], pacman.get('own')!, builderDirectories(directory()), service, silent)
    expect(read).to.have.nested.property('error.code', 'RECIPE_INVALID')
    expect(seen).to.have.length(1)
    expect(seen).not.to.include('recipe-killed')
    expect(readdirSync(copies)).to.deep.equal([])
  })
})
