import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { lastingBase, latestBase, restoreFiles } from '../../src/agent/base-build.js'
import type { BaseBuild } from '../../src/agent/base-build.js'
import { copyPack, holdPack } from '../../src/artifact/copy-pack.js'
import { packTree } from '../../src/artifact/pack-tree.js'
import { fetchManifest, openDirectorySource } from '../../src/artifact/source.js'
import type { ArtifactSource, Item } from '../../src/artifact/source.js'
import { unpackPack } from '../../src/artifact/unpack.js'
import { openJenkins } from '../../src/jenkins/client.js'
import { jenkinsSource } from '../../src/jenkins/source.js'
import type { Build } from '../../src/model/build.js'
import { openStore } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { fakeJenkins } from '../jenkins/fake-jenkins.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { archive } from '../store/machine.js'

const JOB = 'treeswap/machines/box'
const box: Item = { kind: 'tree', name: 'box' }
const KEEPS = 5

describe('builds in a job that keeps few artifacts', () => {
  const directory = temporaryDirectory()
  const fake = fakeJenkins()
  const artifacts = (): string => join(directory(), 'artifacts')
  const source = (): ArtifactSource => jenkinsSource(openJenkins({ url: fake().url }), JOB, { keeps: KEEPS })

  beforeEach(() => fake().items.add(JOB))

  /** What Jenkins' LogRotator does at the end of a build: the newest count, failed ones too; the last success stays. */
  function discard(): void {
    const { builds } = fake().items.get(JOB)!
    const lastSuccess = builds.find(({ result }) => result === 'SUCCESS')
    for (const build of builds.slice(KEEPS)) if (build !== lastSuccess) build.archived = undefined
  }

  /** Builds as the machine's job does: with a base that may be named. */
  async function build(number: number): Promise<Build> {
    const base = await latestBase(source(), 'box')
    const parts = join(directory(), 'parts')
    writeFiles(parts, {
      'binpkgs/a/one-1.gpkg.tar': 'the same in all builds',
      'binpkgs/Packages': 'PACKAGES: 1\n\nCPV: a/one-1\nPATH: a/one-1.gpkg.tar\nSIZE: 22\n\n',
      'etc-portage/make.conf': '',
      'var-lib-portage/world': 'a/one\n',
      'repos/gentoo/profiles/repo_name': 'gentoo\n',
    })
    const output = join(artifacts(), 'box', String(number))
    const on = base === undefined ? {} : { base: lastingBase(base, number) }
    const done = await packTree({ directory: parts, tree: 'box', number, output, ...on }, silent)
    fake().items.addBuild(JOB, { number, artifacts: output })
    discard()
    return done
  }

  it('name packages only of builds that are still there when the next ones have failed', async () => {
    for (let number = 1; number <= 7; number++) {
      await build(number)
      const failed = Math.floor((KEEPS - 1) / 2)
      const before = fake()
        .items.get(JOB)!
        .builds.map((one) => ({ ...one }))
      for (let next = 1; next <= failed; next++)
        fake().items.addBuild(JOB, { number: number + next, result: 'FAILURE' })
      discard()
      const store = openStore(join(directory(), `store-${number}`), { create: true })
      expect((await pull(store, source(), 'box', number, silent)).build.number).to.equal(number)
      Object.assign(fake().items.get(JOB)!, { builds: before })
    }
  })

  it('name those of the builds just before, all the same', async () => {
    const own: boolean[] = []
    for (let number = 1; number <= 6; number++) {
      const { packs } = await build(number)
      const pack = packs.find(({ role }) => role === 'packages')!
      const { entries } = await fetchManifest(source(), box, number, pack)
      own.push(
        entries.some((entry) => entry.type === 'file' && entry.path.startsWith('a/') && entry.origin === undefined),
      )
    }
    expect(own).to.deep.equal([true, false, false, true, false, false])
  })

  it('are named as long as as many failures as builds that are named leave them there', async () => {
    const number = 100
    for (let keeps = 1; keeps <= 12; keeps++) {
      const base = { source: { ...source(), keeps }, originExists: () => Promise.resolve(true) }
      const { originExists } = lastingBase(base as unknown as BaseBuild, number)
      let named = 0
      while (await originExists(number - named - 1)) named++
      const keptAfterFailures = (origin: number): boolean => origin > number + named - keeps
      expect(keptAfterFailures(number - named), `keep-builds: ${keeps}`).to.equal(true)
      expect(named).to.equal(Math.floor((keeps - 1) / 2))
    }
  })

  it('are asked for anew, for what was there hours ago may be gone', async () => {
    await build(1)
    const base = await latestBase(source(), 'box')
    expect(await base?.originExists(1)).to.equal(true)
    fake().items.get(JOB)!.builds[0]!.archived = undefined
    expect(await base?.originExists(1)).to.equal(false)
  })

  it('hold the ebuild repos that they use until they archive them', async () => {
    const build = await archive(artifacts(), 1)
    fake().items.addBuild(JOB, { number: 1, artifacts: join(artifacts(), 'box/1') })
    const pack = build.packs.find(({ role }) => role === 'ebuild-repo')!
    const held = await holdPack({ source: source(), item: box, number: 1, pack }, join(directory(), 'held'), silent)
    fake().items.get(JOB)!.builds[0]!.archived = undefined
    writeFiles(directory(), { 'output/x': '', 'unpacked/x': '' })
    await copyPack(held, join(directory(), 'output'), silent)
    const manifest = await fetchManifest(held.source, box, 1, pack)
    rmSync(join(directory(), 'unpacked'), { recursive: true })
    await unpackPack(pack, manifest, await held.source.open(box, 1, pack.file), join(directory(), 'unpacked'), silent)
    const local = { source: openDirectorySource(`dir:${artifacts()}`), item: box, number: 1, pack }
    expect(await holdPack(local, join(directory(), 'not needed'), silent)).to.equal(local)
  })
})

describe('package files that a builder has kept', () => {
  const directory = temporaryDirectory()

  it('are fetched again where they are gone, or not what the base build has', async () => {
    await archive(directory(), 1)
    const base = await latestBase(openDirectorySource(`dir:${directory()}`), 'box')
    const kept = join(directory(), 'kept')
    writeFiles(directory(), { 'kept/x': '', 'work/x': '' })
    await restoreFiles(base!, kept, join(directory(), 'work'), silent)
    const file = join(kept, base!.manifest.entries.find(({ type }) => type === 'file')!.path)
    const content = readFileSync(file)
    for (const damage of [
      () => rmSync(file),
      () => writeFileSync(file, Buffer.alloc(content.length, 'x')),
      () => writeFileSync(file, ''),
    ]) {
      damage()
      await restoreFiles(base!, kept, join(directory(), 'work'), silent)
      expect(readFileSync(file).equals(content)).to.equal(true)
    }
  })
})
