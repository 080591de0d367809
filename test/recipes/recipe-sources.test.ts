import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseConfig } from '../../src/config/load.js'
import { RecipeCheckouts } from '../../src/recipes/recipe-checkouts.js'
import { findRecipes } from '../../src/recipes/recipe-sources.js'
import type { FoundRecipes } from '../../src/recipes/recipe-sources.js'
import { GitRepo } from '../lab/git-repo.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('recipes of a pacman repo', () => {
  const directory = temporaryDirectory()
  const path = (...parts: string[]): string => join(directory(), ...parts)
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' })

  async function repository(name: string, files: Record<string, string>): Promise<GitRepo> {
    writeFiles(path(name), files)
    return await GitRepo.create(path(name))
  }

  async function find(sources: string): Promise<FoundRecipes> {
    const { pacman } = parseConfig(`schema: 1\npacman: { own: { chroot: own, ${sources} } }\n`, path('treeswap.yaml'))
    const checkouts = new RecipeCheckouts({ directory: path('clones'), used: new Set() }, silent)
    return await findRecipes(pacman.get('own')!, checkouts, silent)
  }

  const dataOf = ({ found }: FoundRecipes): string[] =>
    found.map((recipe) => readFileSync(join(recipe.directory, 'data'), 'utf8'))

  it('are each as their own tag has them, where programs share a repository', async () => {
    const mono = await repository('mono', { 'one/PKGBUILD': '', 'one/data': 'one of one-v1', 'two/PKGBUILD': '' })
    git('-C', mono.directory, 'tag', 'one-v1')
    writeFiles(mono.directory, { 'one/data': 'unreleased', 'two/data': 'two of two-v1' })
    await mono.commit('Go on')
    git('-C', mono.directory, 'tag', 'two-v1')
    const program = (name: string): string => `{ url: ./mono, path: ${name}, tags: '${name}-v*' }`
    const recipes = await find(`programs: [${program('one')}, ${program('two')}]`)
    expect(dataOf(recipes)).to.deep.equal(['one of one-v1', 'two of two-v1'])
  })

  it('are of one commit, where one branch is named by several sources', async () => {
    await repository('shared', { 'one/PKGBUILD': '', 'pkg/PKGBUILD': '' })
    // whenever something is fetched, there is one commit more afterwards
    const commit = `git -C ${path('shared')} commit --quiet --allow-empty --message=more`
    writeFiles(directory(), { hook: `#!/bin/sh\nenv -u GIT_DIR ${commit}\nexec "$@"\n` })
    chmodSync(path('hook'), 0o755)
    const person = '[user]\n  name = t\n  email = t@example.org\n'
    writeFiles(directory(), { gitconfig: `${person}[uploadpack]\n  packObjectsHook = ${path('hook')}\n` })
    process.env.GIT_CONFIG_GLOBAL = path('gitconfig')
    try {
      const sources = 'repositories: [{ url: ./shared, recipes: one }], programs: [{ url: ./shared, path: pkg }]'
      const { found } = await find(sources)
      expect(found).to.have.length(2)
      expect(found[0]?.commit).to.equal(found[1]?.commit)
      expect(git('-C', path('shared'), 'rev-list', '--count', 'HEAD')).to.equal('2\n')
    } finally {
      Reflect.deleteProperty(process.env, 'GIT_CONFIG_GLOBAL')
    }
  })

  it('are nobody’s, where their list is longer than is read: its end would count as taken off', async () => {
    await repository('lists', {
      names: `${'# words\n'.repeat(131_072)}late\n`,
      at: `alpha${' '.repeat(1024 * 1024 - 5)}`,
    })
    for (const [file, code] of [
      ['names', 'LIST_INVALID'],
      ['at', 'GIT_FAILED'],
    ] as const) {
      const { found, lost } = await find(`lists: [{ url: ./lists, file: ${file}, base: ./aur }]`)
      expect([found, lost.map(({ error }) => error.code)]).to.deep.equal([[], [code]])
    }
  })

  it('are not said to be missing where a clone is damaged, or nobody waits any longer', async () => {
    await repository('program', { 'pkg/PKGBUILD': '' })
    await repository('lists', { names: 'alpha\n' })
    const sources = 'programs: [{ url: ./program, path: pkg }], lists: [{ url: ./lists, file: names, base: ./aur }]'
    const { pacman } = parseConfig(`schema: 1\npacman: { own: { chroot: own, ${sources} } }\n`, path('treeswap.yaml'))
    const clones = { directory: path('clones'), used: new Set<string>() }
    const stop = new AbortController()
    const context = { ...silent, signal: stop.signal }
    const checkouts = new RecipeCheckouts(clones, context)
    const [program, lists] = [await checkouts.ofBranch(path('program')), await checkouts.ofBranch(path('lists'))]
    for (const one of [program, lists]) rmSync(join(one.directory, '.git/objects'), { recursive: true })
    const { lost } = await findRecipes(pacman.get('own')!, checkouts, context)
    expect(lost.map(({ error }) => error.code)).to.deep.equal(['GIT_FAILED', 'GIT_FAILED'])
    stop.abort()
    const error = await findRecipes(pacman.get('own')!, checkouts, context).catch((caught: unknown) => caught)
    expect(error).to.include({ category: 'aborted' })
  })

  describe('of a repository', () => {
    let recipes: GitRepo
    const lostOf = ({ lost }: FoundRecipes): [string, string][] => lost.map(({ name, error }) => [name, error.message])
    const namesOf = ({ found }: FoundRecipes): (string | undefined)[] => found.map((recipe) => recipe.path)

    beforeEach(async () => {
      recipes = await repository('recipes', { 'a/PKGBUILD': 'a', 'b/PKGBUILD': 'b', 'docs/text': '' })
    })

    it('are the directories that have a PKGBUILD', async () => {
      symlinkSync('docs', path('recipes/link-to-docs'))
      await recipes.commit('Link')
      const all = await find('repositories: [{ url: ./recipes }]')
      expect([namesOf(all), all.lost]).to.deep.equal([['a', 'b'], []])
    })

    it('are lost, not gone, where a PKGBUILD becomes a link', async () => {
      rmSync(path('recipes/b/PKGBUILD'))
      symlinkSync('../a/PKGBUILD', path('recipes/b/PKGBUILD'))
      await recipes.commit('Share')
      const all = await find('repositories: [{ url: ./recipes }]')
      expect(namesOf(all)).to.deep.equal(['a'])
      expect(all.lost).to.have.length(1)
      expect(all.lost[0]).to.include({ name: 'b', path: 'b' })
      expect(all.lost[0]?.error).to.include({ code: 'RECIPE_MISSING' })
      expect(lostOf(all)[0]?.[1]).to.match(/no recipe in b: its PKGBUILD is a link/)
    })

    it('are lost, not gone, where a directory becomes a link to another', async () => {
      renameSync(path('recipes/b'), path('recipes/c'))
      symlinkSync('c', path('recipes/b'))
      await recipes.commit('Rename')
      const all = await find('repositories: [{ url: ./recipes }]')
      expect(namesOf(all)).to.deep.equal(['a', 'c'])
      expect(lostOf(all)).to.have.length(1)
      expect(lostOf(all)[0]?.[1]).to.match(/no recipe in b: it is a link/)
    })

    it('are lost, not gone, where a directory becomes a submodule', async () => {
      const other = await repository('other', { PKGBUILD: 'b' })
      rmSync(path('recipes/b'), { recursive: true })
      await recipes.commit('Move out')
      git(
        '-C',
        path('recipes'),
        '-c',
        'protocol.file.allow=always',
        'submodule',
        '--quiet',
        'add',
        other.directory,
        'b',
      )
      await recipes.commit('Name it')
      const all = await find('repositories: [{ url: ./recipes }]')
      expect(namesOf(all)).to.deep.equal(['a'])
      expect(lostOf(all)[0]?.[1]).to.match(/no recipe in b: it is a submodule/)
      expect(existsSync(path('recipes/b/PKGBUILD'))).to.equal(true)
    })

    it('do not suffer from another one whose directory has an odd name', async () => {
      writeFiles(path('recipes'), { 'my dir/PKGBUILD': '', 'x\u001b[2J/PKGBUILD': '' })
      await recipes.commit('Add')
      const all = await find('repositories: [{ url: ./recipes }]')
      expect(namesOf(all)).to.deep.equal(['a', 'b'])
      expect(lostOf(all).map(([name]) => name)).to.deep.equal(['"my dir"', '"x\\u001b[2J"'])
      expect(lostOf(all)[0]?.[1]).to.match(/no recipe in "my dir": its name is odd/)
    })

    it('may lie at its top alone, whatever else is there', async () => {
      writeFiles(path('recipes'), { PKGBUILD: 'top' })
      await recipes.commit('Add')
      expect(namesOf(await find("repositories: [{ url: ./recipes, recipes: '.' }]"))).to.deep.equal([undefined])
      expect(namesOf(await find("repositories: [{ url: ./recipes, recipes: '**' }]"))).to.deep.equal([
        undefined,
        'a',
        'b',
      ])
    })

    it('are refused where nothing fits', async () => {
      const { lost } = await find("repositories: [{ url: ./recipes, recipes: 'packages/*' }]")
      expect(lost.map(({ error }) => error.code)).to.deep.equal(['RECIPES_MISSING'])
    })
  })
})
