import { expect } from 'chai'
import { encodeRecipes, packageVersions, parseRecipes } from '../../src/model/recipes.js'
import type { RecipeRecord, Recipes } from '../../src/model/recipes.js'

const record: RecipeRecord = {
  source: 'https://git.example.org/packages.git',
  directory: 'packages/foo',
  commit: 'c'.repeat(40),
  fingerprint: 'f'.repeat(64),
  version: '1:1.0-1.1',
  packages: [
    { name: 'foo', file: 'foo-1:1.0-1.1-x86_64.pkg.tar.zst', version: '1:1.0-1.1' },
    { name: 'foo-doc', file: 'foo-doc-1:1.0-1.1-any.pkg.tar.zst', version: '1:1.0-1.1' },
  ],
  built: 7,
  dependencies: new Map([
    ['bar', '2-1'],
    ['constructor', '1-1'],
  ]),
  time: { content: 'd'.repeat(40), seconds: 1_700_000_000 },
  outside: new Map([
    ['zlib', { version: '1:1.3-2', libraries: ['libz.so.1=32', 'libz.so.1=64'] }],
    ['glibc', { version: '2.40-1', libraries: ['libc.so.6=64'] }],
  ]),
  status: 'built',
}

function recipes(changes: Partial<RecipeRecord> = {}): Recipes {
  return {
    architecture: 'x86_64',
    recipes: new Map([['foo', { ...record, ...changes }]]),
    root: new Map([
      ['glibc', '2.36-9+deb12u9'],
      ['bash', '5.2'],
    ]),
  }
}

function read(changes: Partial<RecipeRecord> = {}): Recipes {
  return parseRecipes(encodeRecipes(recipes(changes)), 'the list')
}

describe('recipes.json', () => {
  it('says the same when it is read again', () => {
    expect(read()).to.deep.equal(recipes())
  })

  it('is the same, byte for byte, whatever the order of what is in it', () => {
    const turned: Recipes = {
      architecture: 'x86_64',
      recipes: new Map([
        [
          'foo',
          {
            ...record,
            packages: record.packages.toReversed(),
            dependencies: new Map([...record.dependencies].reverse()),
            outside: new Map(
              [...(record.outside ?? [])]
                .reverse()
                .map(([name, { version, libraries }]) => [name, { version, libraries: libraries.toReversed() }]),
            ),
          },
        ],
        ['bar', { ...record, packages: [], built: 0 }],
      ]),
      root: new Map([...recipes().root].reverse()),
    }
    const straight = {
      ...recipes(),
      recipes: new Map([
        ['bar', turned.recipes.get('bar')!],
        ['foo', record],
      ]),
    }
    expect(encodeRecipes(turned)).to.equal(encodeRecipes(straight))
  })

  it('keeps a reason that another program gave, on one line', () => {
    const reason = 'error:\n\u001b[31mno space\u001b[0m'
    expect(read({ status: 'failed', reason }).recipes.get('foo')?.reason).to.equal('error: [31mno space [0m')
    expect(read({ reason: '\n' }).recipes.get('foo')?.reason).to.equal('no reason given')
  })

  it('has recipes without packages: they were never built', () => {
    expect(read({ packages: [], built: 0, status: 'failed' }).recipes.get('foo')?.packages).to.deep.equal([])
  })

  it('gives the version of every package of the tree', () => {
    expect([...packageVersions(recipes())]).to.deep.equal([
      ['foo', '1:1.0-1.1'],
      ['foo-doc', '1:1.0-1.1'],
    ])
  })

  const [foo] = record.packages
  const wrong: [string, Partial<RecipeRecord>][] = [
    ['packages that no build made', { built: 0 }],
    ['a build that made no packages', { packages: [] }],
    ['a file of another package', { packages: [{ ...foo!, file: 'bar-1:1.0-1.1-any.pkg.tar.zst' }] }],
    ['a file of another version', { packages: [{ ...foo!, file: 'foo-1.0-1.1-any.pkg.tar.zst' }] }],
    ['a file in another directory', { packages: [{ ...foo!, file: '../foo-1:1.0-1.1-any.pkg.tar.zst' }] }],
    ['one package twice', { packages: [foo!, foo!] }],
    ['a version that is none', { version: '1.0' }],
    ['a fingerprint that is none', { fingerprint: 'new' }],
    ['a commit that is none', { commit: 'main' }],
    ['a name that is a path', { dependencies: new Map([['../x', '1-1']]) }],
    ['a control character in an URL', { source: 'https://x/\u0007' }],
  ]
  for (const [what, changes] of wrong) {
    it(`is refused with ${what}`, () => {
      expect(() => read(changes))
        .to.throw(/the list/)
        .with.property('code', 'RECIPES_INVALID')
    })
  }

  it('is refused with a field that nobody here knows, or where it is no JSON', () => {
    for (const text of [encodeRecipes(recipes()).replace('"built"', '"buildt"'), '{', '[]', 'null']) {
      expect(() => parseRecipes(text, 'the list'))
        .to.throw()
        .with.property('code', 'RECIPES_INVALID')
    }
  })

  it('of a newer treeswap is named as such', () => {
    expect(() => parseRecipes('{ "schema": 2 }', 'the list'))
      .to.throw()
      .with.property('code', 'RECIPES_TOO_NEW')
  })
})
