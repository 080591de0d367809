import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { builderDirectories } from '../../src/agent/directories.js'
import type { RootService } from '../../src/chroot/requests.js'
import { parseConfig } from '../../src/config/load.js'
import type { RecipeRecord, Recipes } from '../../src/model/recipes.js'
import { planRepo } from '../../src/recipes/plan-repo.js'
import type { RepoPlan } from '../../src/recipes/plan-repo.js'
import { fingerprintOf } from '../../src/recipes/recipe-heads.js'
import { sha256 } from '../../src/system/hash.js'
import { GitRepo } from '../lab/git-repo.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'

describe('what is to be done in a pacman repo', () => {
  const directory = temporaryDirectory()
  const path = (...parts: string[]): string => join(directory(), ...parts)
  const git = (name: string, ...args: string[]): string =>
    execFileSync('git', ['-C', path(name), ...args], { encoding: 'utf8' }).trim()
  let repos: Map<string, GitRepo>
  let warned: string[]
  beforeEach(() => {
    repos = new Map()
    warned = []
  })

  /** Makes files the next commit of a repository; null removes one. */
  async function commit(name: string, files: Record<string, string | null>): Promise<void> {
    for (const [file, text] of Object.entries(files)) if (text === null) rmSync(path(name, file), { recursive: true })
    const written = Object.entries(files).filter((one): one is [string, string] => one[1] !== null)
    writeFiles(path(name), Object.fromEntries(written))
    const repo = repos.get(name)
    if (repo === undefined) repos.set(name, await GitRepo.create(path(name)))
    else await repo.commit('Change')
  }

  /** Commits recipes of which it is known what makepkg says of them: PKGBUILD → lines of .SRCINFO. */
  async function recipes(name: string, all: Record<string, string>, release?: string): Promise<void> {
    await commit(name, Object.fromEntries(Object.entries(all).map(([file, text]) => [file, `# ${text}`])))
    for (const [file, text] of Object.entries(all)) {
      const content = git(name, 'rev-parse', `HEAD:${file.replace(/\/?PKGBUILD$/, '')}`)
      writeFiles(path('builder/srcinfo'), { [sha256(JSON.stringify([content, release ?? null]))]: text })
    }
  }

  const srcinfo = (base: string, more: readonly string[] = [], packages: readonly string[] = [base]): string =>
    [
      `pkgbase = ${base}`,
      ...['pkgver = 1', 'pkgrel = 1', 'arch = any', ...more].map((line) => `\t${line}`),
      ...packages.map((one) => `pkgname = ${one}`),
    ].join('\n')

  /** No root is asked for anything here. */
  const service = {} as RootService

  async function planned(sources: string, before?: Recipes): Promise<RepoPlan> {
    const text = `schema: 1\npacman: { own: { chroot: own, ${sources} } }\n`
    const { pacman } = parseConfig(text, path('treeswap.yaml'))
    const clones = { directory: path('clones'), used: new Set<string>() }
    const context = { ...silent, report: { ...silent.report, warn: (line: string) => void warned.push(line) } }
    const directories = builderDirectories(path('builder'))
    return await planRepo(
      { repo: pacman.get('own')!, directories, service, before, asked: new Set(), missing: new Map() },
      clones,
      context,
    )
  }

  /** What a build says in which all of a plan was built. */
  function allBuilt({ steps, recipes: known }: RepoPlan, changes: Record<string, Partial<RecipeRecord>> = {}): Recipes {
    const records = steps.flatMap(({ base, uses }): [string, RecipeRecord][] => {
      const recipe = known.get(base)
      if (recipe === undefined) return []
      const { source, path: inside, commit: at, fingerprint, srcinfo: info } = recipe
      const packages = info.packages.map(({ name }) => ({ name, version: '1-1', file: `${name}-1-1-any.pkg.tar.zst` }))
      const dependencies = new Map(uses.map((name) => [name, '1-1']))
      const place = { source, ...(inside !== undefined && { directory: inside }) }
      const made = { version: '1-1', packages, built: 1, dependencies, status: 'built' } as const
      return [[base, { ...place, commit: at, fingerprint, ...made, ...changes[base] }]]
    })
    return { architecture: 'x86_64', recipes: new Map(records), root: new Map() }
  }

  const todo = ({ steps, removed, broken }: RepoPlan): string[] => [
    ...steps.filter(({ action }) => action === 'build').map(({ base }) => `build ${base}`),
    ...removed.map((base) => `remove ${base}`),
    ...broken.map(({ base, error }) => `${base} ${error.code}`),
  ]

  const listed = 'lists: [{ url: ./lists, file: names, base: ./aur }]'
  const both = `repositories: [{ url: ./recipes }], ${listed}`

  it('is the same for the others, whatever the author of a listed recipe makes of it', async () => {
    await recipes('recipes', { 'alpha/PKGBUILD': srcinfo('alpha'), 'zeta/PKGBUILD': srcinfo('zeta') })
    await commit('lists', { names: 'gamma\ndelta\n' })
    await recipes('aur/gamma.git', { PKGBUILD: srcinfo('gamma') })
    await recipes('aur/delta.git', { PKGBUILD: srcinfo('delta', ['depends = gamma']) })
    const before = allBuilt(await planned(both))
    await recipes('recipes', { 'zeta/PKGBUILD': srcinfo('zeta', ['url = new']) })
    for (const [text, ...refused] of [
      [srcinfo('gamma', ['makedepends = delta']), 'delta RECIPES_CYCLIC', 'gamma RECIPES_CYCLIC'],
      [srcinfo('gamma', [], ['gamma', 'alpha']), 'gamma PACKAGE_TWICE'],
      [srcinfo('alpha', [], ['gamma']), 'gamma PACKAGE_TWICE'],
    ] as const) {
      await recipes('aur/gamma.git', { PKGBUILD: text })
      const plan = await planned(both, before)
      expect(todo(plan)).to.have.members(['build zeta', ...refused])
      expect(plan.broken.every(({ record }) => record !== undefined)).to.equal(true)
    }
    const first = await planned(both)
    expect(todo(first)).to.have.members([
      'build alpha',
      'build zeta',
      'build delta',
      `${path('aur/gamma.git')} PACKAGE_TWICE`,
    ])
    expect(first.broken[0]?.record).to.equal(undefined)
  })

  it('is a build where a tag was moved, though its recipe is the same', async () => {
    const source = "programs: [{ url: ./program, path: pkg, tags: 'v*' }]"
    await recipes('program', { 'pkg/PKGBUILD': srcinfo('program') }, '1')
    git('program', 'tag', 'v1')
    const before = allBuilt(await planned(source))
    expect(todo(await planned(source, before))).to.deep.equal([])
    await commit('program', { code: 'another' })
    expect(todo(await planned(source, before))).to.deep.equal([])
    git('program', 'tag', '--force', 'v1')
    expect(todo(await planned(source, before))).to.deep.equal(['build program'])
  })

  it('is nothing where earlier versions recorded a tag by the recipe alone, until it is moved', async () => {
    const source = "programs: [{ url: ./program, path: pkg, tags: 'v*' }]"
    await recipes('program', { 'pkg/PKGBUILD': srcinfo('program') }, '1')
    git('program', 'tag', 'v1')
    const content = git('program', 'rev-parse', 'HEAD:pkg')
    const fingerprint = sha256(JSON.stringify({ content, version: '1', heads: [] }))
    const before = allBuilt(await planned(source), { program: { fingerprint } })
    expect(todo(await planned(source, before))).to.deep.equal([])
    await commit('program', { code: 'another' })
    git('program', 'tag', '--force', 'v1')
    expect(todo(await planned(source, before))).to.deep.equal(['build program'])
  })

  it('says once of each recipe what nobody is asked for', async () => {
    const sources = ['svn://u:secret@example.org/trunk', 'a::hg+https://example.org/hg', 'https://example.org/x.tar.gz']
    await recipes('recipes', {
      'old/PKGBUILD': srcinfo(
        'old',
        sources.map((one) => `source = ${one}`),
      ),
    })
    const { warnings, broken } = await planned('repositories: [{ url: ./recipes }]')
    expect(warnings.map(({ base }) => base)).to.deep.equal(['old'])
    expect(warned).to.deep.equal(warnings.map(({ text }) => text))
    expect(warned[0]).to.match(
      /^old follows what is not polled \(svn:\/\/example.org\/trunk, a::hg\+https:\/\/ex[^ ]*\):/,
    )
    expect(broken).to.deep.equal([])
  })

  it('is found out though an author names sources without end: they are asked for so long, and no longer', async () => {
    const found = { content: 'a'.repeat(40), commit: 'c'.repeat(40), release: undefined }
    const asked = new Map<string, Promise<string>>()
    const ask = async (sources: string[], patience: number): Promise<unknown> =>
      await fingerprintOf(found, sources, undefined, asked, silent, patience).catch((error: unknown) => error)
    expect(await ask(['git+https://example.org/x.git'], 0)).to.include({ code: 'GIT_FAILED' })
    expect(asked.size).to.equal(0)
    expect(await ask(['https://example.org/x.tar.gz'], 0)).to.be.a('string')
  })

  describe('where a directory is a submodule', () => {
    const source = 'repositories: [{ url: ./recipes }]'
    beforeEach(async () => {
      await recipes('recipes', { 'alpha/PKGBUILD': srcinfo('alpha'), 'beta/PKGBUILD': srcinfo('beta') })
      await commit('other', { PKGBUILD: '' })
    })
    const addSubmodule = async (name: string): Promise<void> => {
      git('recipes', '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', path('other'), name)
      await repos.get('recipes')!.commit('Add')
    }

    it('is not disturbed by one that never was a recipe, and says so', async () => {
      const before = allBuilt(await planned(source))
      await addSubmodule('theme')
      const plan = await planned(source, before)
      expect(todo(plan)).to.deep.equal([])
      expect(plan.warnings.map(({ base }) => base)).to.deep.equal(['theme'])
      expect(warned[0]).to.match(/no recipe in theme: it is a submodule/)
    })

    it('is to keep what was a recipe', async () => {
      const before = allBuilt(await planned(source))
      await commit('recipes', { beta: null })
      await addSubmodule('beta')
      expect(todo(await planned(source, before))).to.deep.equal(['beta RECIPE_MISSING'])
    })

    it('is to keep everything where no recipe is left beside it', async () => {
      const before = allBuilt(await planned(source))
      await commit('recipes', { alpha: null, beta: null })
      await addSubmodule('theme')
      expect(todo(await planned(source, before))).to.deep.equal([`${path('recipes')} RECIPES_MISSING`])
    })
  })

  describe('removes nothing', () => {
    const source = 'repositories: [{ url: ./recipes }]'

    it('of a recipe that cannot be read after its pkgbase has changed', async () => {
      await recipes('recipes', { 'a/PKGBUILD': srcinfo('zeta'), 'b/PKGBUILD': srcinfo('other') })
      const first = allBuilt(await planned(source))
      const [zeta] = [...first.recipes.values()].slice(-1)
      const failed = { ...zeta!, packages: [], built: 0, status: 'failed' } as const
      const before = { ...first, recipes: new Map([['beta', failed], ...first.recipes]) }
      await commit('recipes', { 'a/PKGBUILD': 'pkgname=(' })
      writeFiles(path('builder/srcinfo'), {
        [sha256(JSON.stringify([git('recipes', 'rev-parse', 'HEAD:a'), null]))]: 'no such text',
      })
      const plan = await planned(source, before)
      expect(todo(plan)).to.deep.equal(['zeta SRCINFO_INVALID'])
      expect(plan.staying).to.deep.equal(['beta', 'zeta'])
    })

    it('of a source whose URL is new and cannot be read', async () => {
      await recipes('recipes', { 'a/PKGBUILD': srcinfo('a'), 'b/PKGBUILD': srcinfo('b') })
      await commit('lists', { names: 'a\n' })
      await recipes('aur/a.git', { PKGBUILD: srcinfo('a') })
      const before = allBuilt(await planned(source))
      const moved = await planned(`repositories: [{ url: ./recipse }], ${listed}`, before)
      expect(todo(moved)).to.deep.equal([`${path('recipse')} GIT_FAILED`])
      expect(moved.staying).to.deep.equal(['a', 'b'])
      // one that can be read takes them over
      await recipes('elsewhere', { 'a/PKGBUILD': srcinfo('a') })
      expect(todo(await planned('repositories: [{ url: ./elsewhere }]', before))).to.deep.equal(['remove b'])
    })
  })
})
