import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { indexFiles } from '../../src/gentoo/index-files.js'
import type { IndexRequest } from '../../src/gentoo/index-files.js'
import { parsePackages } from '../../src/model/packages-index.js'
import type { FileMap } from '../../src/model/file-map.js'
import { objectMtime } from '../../src/model/object-key.js'

const key = 'ab'.repeat(32)
const hello = 'app-misc/hello/hello-2.10-1.gpkg.tar'
const packagesText = `PACKAGES: 1\nTIMESTAMP: 5\n\nCPV: app-misc/hello-2.10\nMTIME: 1\nPATH: ${hello}\nSIZE: 9\n\n`

function request(changes: Partial<IndexRequest> = {}): IndexRequest {
  return {
    files: new Map([[`.binpkgs/${hello}`, { kind: 'object', key, size: 9 }]]),
    packagesText,
    source: 'box@1',
    repos: [{ name: 'gentoo', digest: 'one', commitTime: 1_600_000_000 }],
    stamps: {},
    now: 1_700_000_000,
    ...changes,
  }
}

function text(files: FileMap, path: string): { content: Buffer; mtime: number } {
  const file = files.get(path)
  if (file?.kind !== 'text') throw new Error(`${path} is no index file`)
  return file
}

describe('index files of a generation', () => {
  it('agree: Packages.gz is Packages, with the same time', () => {
    const { files } = indexFiles(request())
    const plain = text(files, '.binpkgs/Packages')
    const packed = text(files, '.binpkgs/Packages.gz')
    expect(gunzipSync(packed.content).equals(plain.content)).to.equal(true)
    expect(packed.mtime).to.equal(plain.mtime)
  })

  it('are the same bytes for the same input', () => {
    const [one, two] = [indexFiles(request()), indexFiles(request())].map(({ files }) =>
      text(files, '.binpkgs/Packages.gz'),
    )
    expect(one!.content.equals(two!.content)).to.equal(true)
  })

  it('rise even where the clock goes back', () => {
    const first = indexFiles(request())
    const second = indexFiles(request({ stamps: first.stamps, now: 1_000_000_000 }))
    const { header } = parsePackages(text(second.files, '.binpkgs/Packages').content.toString(), 'test')
    expect(header.get('TIMESTAMP')).to.equal('1700000001')
    expect(text(second.files, '.binpkgs/Packages').mtime).to.equal(1_700_000_001)
  })

  it('name the place of their own generation and the time that packages are served with', () => {
    const uri = 'http://pkgs.example.org/generations/box/3/'
    const { files } = indexFiles(request({ uri }))
    const { header, stanzas } = parsePackages(text(files, '.binpkgs/Packages').content.toString(), 'test')
    expect(header.get('URI')).to.equal(uri)
    expect(stanzas[0]?.get('MTIME')).to.equal(String(objectMtime(key)))
  })

  it('refuse an index that names a package which the build lacks', () => {
    expect(() => indexFiles(request({ files: new Map() })))
      .to.throw(hello)
      .with.property('code', 'PACKAGES_INCOMPLETE')
  })

  it('refuse an index that tells another size of a package', () => {
    const wrong = packagesText.replace('SIZE: 9', 'SIZE: 10')
    expect(() => indexFiles(request({ packagesText: wrong }))).to.throw('10 bytes, but it has 9')
  })
})

describe('timestamp.chk of an ebuild repo', () => {
  const stampOf = (files: FileMap): string => text(files, 'gentoo/metadata/timestamp.chk').content.toString()
  const repo = (digest: string, commitTime?: number): IndexRequest['repos'] => [{ name: 'gentoo', digest, commitTime }]

  const known = { 'gentoo/metadata/timestamp.chk': { time: 1_500_000_000, content: 'zero' } }

  it('is the time of the commit, as Portage parses it', () => {
    const { files } = indexFiles(request({ stamps: known }))
    expect(stampOf(files)).to.equal('Sun, 13 Sep 2020 12:26:40 +0000\n')
    expect(text(files, 'gentoo/metadata/timestamp.chk').mtime).to.equal(1_600_000_000)
  })

  it('is the publish time where no earlier stamp is known, which clients may still have', () => {
    const { files } = indexFiles(request())
    expect(text(files, 'gentoo/metadata/timestamp.chk').mtime).to.equal(1_700_000_000)
  })

  it('stays while the content stays', () => {
    const first = indexFiles(request())
    const second = indexFiles(request({ stamps: first.stamps, now: 1_800_000_000, repos: repo('one', 1_750_000_000) }))
    expect(stampOf(second.files)).to.equal(stampOf(first.files))
  })

  it('rises with other content, even to an older commit', () => {
    const first = indexFiles(request({ stamps: known }))
    const second = indexFiles(request({ stamps: first.stamps, repos: repo('two', 1_500_000_000) }))
    const third = indexFiles(request({ stamps: second.stamps, repos: repo('one', 1_600_000_000) }))
    expect(stampOf(second.files)).to.equal('Sun, 13 Sep 2020 12:26:41 +0000\n')
    expect(stampOf(third.files)).to.equal('Sun, 13 Sep 2020 12:26:42 +0000\n')
  })

  it('is remembered while a repo is away', () => {
    const first = indexFiles(request({ stamps: known }))
    const without = indexFiles(request({ stamps: first.stamps, repos: [] }))
    const back = indexFiles(request({ stamps: without.stamps, repos: repo('two', 1_500_000_000) }))
    expect(stampOf(back.files)).to.equal('Sun, 13 Sep 2020 12:26:41 +0000\n')
  })

  it('is the publish time where the commit time is not known', () => {
    const { files } = indexFiles(request({ repos: repo('one') }))
    expect(text(files, 'gentoo/metadata/timestamp.chk').mtime).to.equal(1_700_000_000)
  })

  it('is not written through a symlink that the repo has in its place', () => {
    const files: FileMap = new Map([...request().files, ['gentoo/metadata', { kind: 'symlink', target: '/etc' }]])
    expect(() => indexFiles(request({ files })))
      .to.throw('gentoo/metadata')
      .with.property('code', 'REPO_INVALID')
  })
})
