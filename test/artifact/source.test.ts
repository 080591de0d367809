import { expect } from 'chai'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { copyPack } from '../../src/artifact/copy-pack.js'
import { packDirectory } from '../../src/artifact/pack.js'
import { chooseNumber, fetchFile, fetchManifest, openArtifact, openDirectorySource } from '../../src/artifact/source.js'
import type { ArtifactSource, Item } from '../../src/artifact/source.js'
import { writeArtifact } from '../../src/artifact/write.js'
import type { Build } from '../../src/model/build.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { failure } from './collect.js'

const temporary = temporaryDirectory()
const overlay: Item = { kind: 'ebuild-repo', name: 'overlay' }
const box: Item = { kind: 'tree', name: 'box' }

describe('a directory of artifacts', () => {
  it('lists complete builds by number, and nothing else', async () => {
    for (const number of [2, 10, 9]) await artifact(overlay, number)
    writeFiles(artifacts(), {
      'repos/overlay/11/overlay.tar.zst': 'no build record yet',
      'repos/overlay/12.partial/build.json': '{}',
      'repos/overlay/013/build.json': '{}',
      'repos/overlay/latest/build.json': '{}',
    })
    expect(await source().numbers(overlay)).to.deep.equal([2, 9, 10])
    expect(await source().numbers(box)).to.deep.equal([])
    expect(await chooseNumber(source(), overlay)).to.equal(10)
    expect(await chooseNumber(source(), overlay, 9)).to.equal(9)
  })

  it('keeps machines and ebuild repos of the same name apart', async () => {
    await artifact({ kind: 'tree', name: 'same' }, 1)
    await artifact({ kind: 'ebuild-repo', name: 'same' }, 2)
    expect(await source().numbers({ kind: 'tree', name: 'same' })).to.deep.equal([1])
    expect(await source().numbers({ kind: 'ebuild-repo', name: 'same' })).to.deep.equal([2])
  })

  it('says which builds there are when one is missing', async () => {
    await artifact(overlay, 3)
    for (const ask of [() => source().readBuild(overlay, 4), () => chooseNumber(source(), overlay, 4)]) {
      const error = await failure(ask)
      expect(error.code).to.equal('BUILD_MISSING')
      expect(error.message).to.include('overlay').and.include('4')
      expect(error.hint).to.include('3')
    }
    expect((await failure(() => chooseNumber(source(), box))).code).to.equal('BUILD_MISSING')
  })

  it('refuses a record that belongs elsewhere', async () => {
    await artifact(overlay, 3)
    renameSync(join(artifacts(), 'repos/overlay/3'), join(artifacts(), 'repos/overlay/4'))
    const error = await failure(() => source().readBuild(overlay, 4))
    expect(error.code).to.equal('BUILD_MISPLACED')
    expect(error.message).to.include('build 3')
  })

  it('refuses a record that is cut off, altered, too large, or from the future', async () => {
    await artifact(overlay, 3)
    const path = join(artifacts(), 'repos/overlay/3/build.json')
    const text = readFileSync(path, 'utf8')
    const cases: [string, string][] = [
      [text.slice(0, -20), 'BUILD_INVALID'],
      ['', 'BUILD_INVALID'],
      ['[]', 'BUILD_INVALID'],
      [text.replace('"overlay.tar.zst"', '"../overlay.tar.zst"'), 'BUILD_INVALID'],
      [text.replace('"schema": 1', '"schema": 2'), 'BUILD_TOO_NEW'],
      [text + ' '.repeat(2 ** 20), 'BUILD_INVALID'],
    ]
    for (const [altered, code] of cases) {
      writeFileSync(path, altered)
      expect((await failure(() => source().readBuild(overlay, 3))).code, altered.slice(0, 40)).to.equal(code)
    }
  })

  it('never looks outside of itself', async () => {
    const { pack } = await artifact(overlay, 3)
    for (const name of ['../overlay', '..', '.', '', 'a/b', '-rf', 'a\0']) {
      expect((await failure(() => source().numbers({ kind: 'ebuild-repo', name }))).code, name).to.equal('NAME_INVALID')
      expect((await failure(() => source().readBuild({ kind: 'tree', name }, 3))).code, name).to.equal('NAME_INVALID')
    }
    for (const file of ['../3/build.json', '/etc/passwd', '', '.', 'a\0']) {
      expect((await failure(() => source().open(overlay, 3, file))).code, file).to.equal('NAME_INVALID')
    }
    for (const number of [0, -1, 1.5, Number.NaN]) {
      expect((await failure(() => source().open(overlay, number, pack.file))).code).to.equal('NUMBER_INVALID')
    }
  })

  it('names the file that is missing, and reads no directory or pipe in its place', async () => {
    const { pack } = await artifact(overlay, 3)
    mkdirSync(join(artifacts(), 'repos/overlay/3/directory'))
    for (const file of ['gone.tar', 'directory']) {
      const error = await failure(() => source().open(overlay, 3, file))
      expect([error.code, error.message.includes(file)]).to.deep.equal(['FILE_MISSING', true])
    }
    expect(
      (
        await failure(() =>
          fetchManifest(source(), overlay, 3, { ...pack, manifest: { ...pack.manifest, file: 'gone.zst' } }),
        )
      ).code,
    ).to.equal('FILE_MISSING')
  })

  it('may be made of symlinks', async () => {
    await artifact(overlay, 3)
    renameSync(join(artifacts(), 'repos/overlay/3'), join(temporary(), 'elsewhere'))
    symlinkSync(join(temporary(), 'elsewhere'), join(artifacts(), 'repos/overlay/3'))
    symlinkSync(artifacts(), join(temporary(), 'link'))
    const linked = openDirectorySource(`dir:${join(temporary(), 'link')}`)
    expect(await linked.numbers(overlay)).to.deep.equal([3])
    expect((await linked.readBuild(overlay, 3)).build.number).to.equal(3)
  })

  it('is what dir: says, and nothing else is a source', async () => {
    for (const text of ['', '/srv/artifacts', 'dir:', 'jenkins:job', 'http://host/']) {
      const error = await failure(() => openDirectorySource(text))
      expect(error.code).to.equal('SOURCE_INVALID')
      expect(error.hint).to.include('dir:PATH')
    }
  })
})

describe('an artifact that is named by its directory', () => {
  it('finds its siblings where it lies in a source', async () => {
    await artifact(overlay, 3)
    await artifact(overlay, 4)
    const { source: found, item, build } = openArtifact(join(artifacts(), 'repos/overlay/4/'))
    expect([item, build.number]).to.deep.equal([overlay, 4])
    expect(await found.numbers(overlay)).to.deep.equal([3, 4])
  })

  it('stands alone where it lies anywhere else', async () => {
    await artifact(overlay, 3)
    renameSync(join(artifacts(), 'repos/overlay/3'), join(temporary(), 'lone'))
    const { source: found, item, build } = openArtifact(join(temporary(), 'lone'))
    expect(await found.numbers(item)).to.deep.equal([3])
    expect(await found.numbers(box)).to.deep.equal([])
    expect((await fetchManifest(found, item, 3, build.packs[0]!)).entries).not.to.be.empty
    expect((await failure(() => found.readBuild(item, 4))).code).to.equal('BUILD_MISSING')
  })

  it('is refused when the directory is no artifact', async () => {
    writeFiles(temporary(), { 'plain/file': '' })
    const error = await failure(() => openArtifact(join(temporary(), 'plain')))
    expect(error.code).to.equal('BUILD_MISSING')
    expect(error.message).to.include('plain').and.include('build.json')
    expect((await failure(() => openArtifact(join(temporary(), 'plain/file')))).code).to.equal('BUILD_MISSING')
  })
})

describe('fetching a file of an artifact', () => {
  it('brings it whole, or leaves nothing', async () => {
    const { pack } = await artifact(overlay, 3)
    const target = join(temporary(), 'fetched')
    await fetchFile(source(), overlay, 3, pack, target, silent)
    expect(readFileSync(target).equals(readFileSync(stored(pack.file)))).to.equal(true)

    truncateSync(stored(pack.file), pack.size - 1)
    const again = join(temporary(), 'again')
    expect((await failure(() => fetchFile(source(), overlay, 3, pack, again, silent))).code).to.equal('PACK_DAMAGED')
    expect(readdirSync(temporary())).not.to.include.members(['again', 'again.partial'])
    const stopped = { ...silent, signal: AbortSignal.abort() }
    expect((await failure(() => fetchFile(source(), overlay, 3, pack, again, stopped))).code).to.equal('ABORTED')
    expect(readdirSync(temporary())).not.to.include.members(['again', 'again.partial'])
  })

  it('refuses a manifest that is longer than announced', async () => {
    const { pack } = await artifact(overlay, 3)
    writeFileSync(stored(pack.manifest.file), Buffer.alloc(pack.manifest.size + 1))
    expect((await failure(() => fetchManifest(source(), overlay, 3, pack))).code).to.equal('PACK_DAMAGED')
  })
})

describe('taking over a pack', () => {
  it('brings the very bytes, from a directory or through a stream', async () => {
    const { pack } = await artifact(overlay, 3)
    const local = source()
    const remote: ArtifactSource = {
      description: 'elsewhere',
      numbers: (item) => local.numbers(item),
      readBuild: (item, number) => local.readBuild(item, number),
      open: (item, number, file) => local.open(item, number, file),
    }
    for (const [index, from] of [local, remote].entries()) {
      const output = join(temporary(), `copy-${index}`)
      mkdirSync(output)
      await copyPack({ source: from, item: overlay, number: 3, pack }, output, silent)
      for (const file of [pack.file, pack.manifest.file]) {
        expect(readFileSync(join(output, file)).equals(readFileSync(stored(file)))).to.equal(true)
      }
    }
    expect(statSync(join(temporary(), 'copy-0', pack.file)).ino).to.equal(statSync(stored(pack.file)).ino)
  })

  it('follows a symlink of the source instead of copying it', async () => {
    const { pack } = await artifact(overlay, 3)
    renameSync(stored(pack.file), join(temporary(), 'moved'))
    symlinkSync(join(temporary(), 'moved'), stored(pack.file))
    mkdirSync(join(temporary(), 'copy'))
    await copyPack({ source: source(), item: overlay, number: 3, pack }, join(temporary(), 'copy'), silent)
    renameSync(join(temporary(), 'moved'), join(temporary(), 'moved again'))
    expect(readFileSync(join(temporary(), 'copy', pack.file))).to.have.length(pack.size)
  })

  it('refuses a damaged one and leaves it out', async () => {
    const { pack } = await artifact(overlay, 3)
    const bytes = readFileSync(stored(pack.file))
    bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30)
    writeFileSync(stored(pack.file), bytes)
    mkdirSync(join(temporary(), 'copy'))
    const place = { source: source(), item: overlay, number: 3, pack }
    expect((await failure(() => copyPack(place, join(temporary(), 'copy'), silent))).code).to.equal('PACK_DAMAGED')
    expect(readdirSync(join(temporary(), 'copy'))).to.be.empty
  })
})

describe('writing an artifact', () => {
  it('does not touch one that is there', async () => {
    await artifact(overlay, 3)
    const before = readFileSync(stored('build.json'), 'utf8')
    const error = await failure(() => artifact(overlay, 3, { 'other/file': 'other' }))
    expect(error.code).to.equal('ARTIFACT_EXISTS')
    expect(readFileSync(stored('build.json'), 'utf8')).to.equal(before)
  })

  it('lets one of two who make the same artifact win, whole', async () => {
    const { build } = await artifact(overlay, 3)
    const output = join(temporary(), 'out/3')
    const write = (name: string, meanwhile: () => Promise<unknown>) =>
      writeArtifact(output, async (directory) => {
        writeFileSync(join(directory, name), name)
        await meanwhile()
        return build
      })
    const error = await failure(() => write('late', () => write('early', () => Promise.resolve())))
    expect(error.code).to.equal('ARTIFACT_EXISTS')
    expect(readdirSync(output)).to.deep.equal(['build.json', 'early'])
    expect(readdirSync(join(temporary(), 'out'))).to.deep.equal(['3'])
  })

  it('makes it readable as the umask says', async () => {
    await artifact(overlay, 3)
    mkdirSync(join(temporary(), 'usual'))
    expect(statSync(stored('')).mode).to.equal(statSync(join(temporary(), 'usual')).mode)
  })

  it('leaves nothing behind when it cannot be filled, nor what another left days ago', async () => {
    const output = join(artifacts(), 'box/1')
    writeFiles(artifacts(), {
      'box/.1.partial-AAAAAA/artifact/rest of a killed run': '',
      'box/.1.partial-BBBBBB/artifact/of one that runs': '',
    })
    const old = new Date(2001, 1)
    for (const path of ['', '/artifact']) utimesSync(join(artifacts(), `box/.1.partial-AAAAAA${path}`), old, old)
    utimesSync(join(artifacts(), 'box/.1.partial-BBBBBB'), old, old)
    const work = writeArtifact(output, (directory) => {
      expect(readdirSync(directory)).to.be.empty
      writeFileSync(join(directory, 'half'), '')
      return Promise.reject(new Error('no luck'))
    })
    expect(await work.catch((error: unknown) => error))
      .to.be.an('error')
      .with.property('message', 'no luck')
    expect(readdirSync(join(artifacts(), 'box'))).to.deep.equal(['.1.partial-BBBBBB'])
  })

  it('writes no record that no reader would take', async () => {
    const { build } = await artifact(overlay, 3)
    const output = join(artifacts(), 'repos/overlay/5')
    const error = await failure(() => writeArtifact(output, () => Promise.resolve({ ...build, number: 0 })))
    expect(error.code).to.equal('BUILD_INVALID')
    expect(existsSync(output)).to.equal(false)
  })
})

function artifacts(): string {
  return join(temporary(), 'artifacts')
}

function source(): ArtifactSource {
  return openDirectorySource(`dir:${artifacts()}`)
}

function stored(file: string): string {
  return join(artifacts(), 'repos/overlay/3', file)
}

async function artifact(item: Item, number: number, files: Record<string, string> = { 'app/a.ebuild': 'EAPI=8\n' }) {
  const content = join(temporary(), 'content')
  writeFiles(content, files)
  const output = join(artifacts(), item.kind === 'tree' ? '' : 'repos', item.name, String(number))
  const build = await writeArtifact(output, async (directory): Promise<Build> => {
    const { pack } = await packDirectory(
      { name: item.name, role: 'ebuild-repo', directory: content, output: directory },
      silent,
    )
    const time = '2026-01-01T00:00:00.000Z'
    const kind = item.kind === 'tree' ? 'machine' : item.kind
    return {
      schema: 1,
      kind,
      name: item.name,
      number,
      started: time,
      finished: time,
      inputs: [],
      tools: {},
      packs: [pack],
    }
  })
  return { build, pack: build.packs[0]! }
}
