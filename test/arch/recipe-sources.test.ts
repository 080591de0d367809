import { expect } from 'chai'
import { parseRecipeList } from '../../src/arch/recipe-list.js'
import { newestRelease } from '../../src/arch/release-tag.js'
import { setVersion } from '../../src/arch/set-version.js'
import { followedSource, isUnwatched } from '../../src/arch/vcs-source.js'
import { refusal } from '../lab/refusal.js'

describe('a list of recipes', () => {
  it('has a name a line; comments, remarks, order and repetition mean nothing', () => {
    const text = '# ours\nyay: helper\r\n\n  autojump  # jumps\nyay\nlib32-foo+bar\n'
    expect(parseRecipeList(text, 'list')).to.deep.equal(['autojump', 'lib32-foo+bar', 'yay'])
  })

  it('that names nothing is refused: everything of it would vanish', () => {
    expect(refusal(() => parseRecipeList('# nothing\n', 'names of x'))).to.include({ code: 'LIST_EMPTY' })
  })

  for (const line of ['../evil', 'a b', '-rf', '.hidden', 'x/y']) {
    it(`with the line ${line} is refused, with its number`, () => {
      const error = refusal(() => parseRecipeList(`good\n${line}\n`, 'names of x'))
      expect(error.code).to.equal('LIST_INVALID')
      expect(error.message).to.include('line 2 of names of x')
    })
  }
})

describe('the newest release', () => {
  it('is that of the highest version, whatever the order of the tags', () => {
    expect(newestRelease('v*', ['v1.10', 'v1.9', 'v1.2'])).to.deep.equal({ tag: 'v1.10', version: '1.10' })
  })

  it('is none of tags that do not fit, or stand for no version', () => {
    expect(newestRelease('v*', ['1.0', 'vnext', 'release-2'])).to.equal(undefined)
    expect(newestRelease('app-*-rel', ['app-1.0-rel', 'app-2.0'])?.version).to.equal('1.0')
  })

  it('is newer than what led to it', () => {
    for (const candidate of ['1.1-rc1', '1.1_beta', '1.1.RC.2', '1.1~alpha3', '1.1rc1', '1.1-pre', '1.1.dev4']) {
      expect(newestRelease('v*', ['v1.0', `v${candidate}`])?.tag, candidate).to.equal(`v${candidate}`)
      expect(newestRelease('v*', ['v1.1', `v${candidate}`])?.tag, candidate).to.equal('v1.1')
    }
    expect(newestRelease('v*', ['v1.1-rc1'])?.version).to.equal('1.1rc1')
    expect(newestRelease('v*', ['v1.1-develop'])?.version).to.equal('1.1_develop')
  })

  it('has a version that a package may have', () => {
    expect(newestRelease('v*', ['v1.0-2'])).to.deep.equal({ tag: 'v1.0-2', version: '1.0_2' })
    expect(newestRelease('v*', ['v1.0', 'v$(reboot)', 'v1;x'])?.tag).to.equal('v1.0')
  })
})

describe('the version of a tag', () => {
  it('takes the place of the recipe’s own, begins pkgrel anew, and has the last word on checksums', () => {
    const text = "pkgname=x\npkgver=0.9\npkgrel=7\nsha256sums=('old')\n"
    expect(setVersion(text, '1.0')).to.equal("pkgname=x\npkgver=1.0\npkgrel=1\nsha256sums=('old')\n")
    expect(setVersion(text, '1.0', "sha256sums=('new')")).to.match(/old'\)\n\nsha256sums=\('new'\)\n$/)
  })

  it('needs a line of its own', () => {
    expect(refusal(() => setVersion('pkgname=x\n', '1.0'))).to.include({ code: 'RECIPE_INVALID' })
  })
})

describe('a source', () => {
  for (const [entry, followed] of [
    ['git+https://example.org/x.git', { url: 'https://example.org/x.git', branch: undefined }],
    ['name::git+https://example.org/x.git', { url: 'https://example.org/x.git', branch: undefined }],
    ['git+https://example.org/x.git#branch=dev', { url: 'https://example.org/x.git', branch: 'dev' }],
    ['git+https://example.org/x.git?signed#branch=dev', { url: 'https://example.org/x.git', branch: 'dev' }],
    ['git://example.org/x.git', { url: 'git://example.org/x.git', branch: undefined }],
    ['git+https://example.org/x.git#tag=v1', undefined],
    ['git+https://example.org/x.git#commit=abc', undefined],
    ['https://example.org/x.tar.gz', undefined],
    ['file.patch', undefined],
    ['git+ssh://git@example.org/x.git', { url: 'ssh://git@example.org/x.git', branch: undefined }],
    ['git+ext::sh -c evil', undefined],
    ['git+file:///srv/git/private.git', undefined],
    ['git+/srv/git/private.git', undefined],
    ['git+../private.git', undefined],
    ['git+host:private.git', undefined],
    ['git+https://example.org/x.git#branch=--upload-pack=evil', undefined],
  ] as const) {
    it(`${entry} ${followed === undefined ? 'is not followed' : `follows ${followed.branch ?? 'HEAD'}`}`, () => {
      expect(followedSource(entry)).to.deep.equal(followed)
    })
  }
})

describe('a source that may change unnoticed', () => {
  const unwatched = {
    'svn+https://example.org/trunk': true,
    'x::svn://example.org/trunk#revision=12': false,
    'hg+https://example.org/x#branch=stable': true,
    'hg+https://example.org/x#tag=v1': false,
    'bzr+lp:x': true,
    'fossil+https://example.org/x#commit=abc': false,
    'git+file:///srv/x': true,
    'git+https://me@example.org/x.git': true,
    'git+https://me@example.org/x.git#commit=abc': false,
    'git+https://example.org/x.git': false,
    'git+https://example.org/x.git#branch=main?signed': false,
    'https://example.org/svn+x.tar.gz': false,
    'svn.patch': false,
  }
  for (const [entry, is] of Object.entries(unwatched)) {
    it(`${is ? 'is' : 'is not'} ${entry}`, () => void expect(isUnwatched(entry)).to.equal(is))
  }
})
