import { expect } from 'chai'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitAll } from '../lab/commit-all.js'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { startPublisherHost } from '../pipeline/publisher-host.js'
import type { PublisherHost } from '../pipeline/publisher-host.js'
import { archive } from '../store/machine.js'
import { makeLibrary } from './library.js'
import { runPipeline } from './run-pipeline.js'

describe("publishing over SSH under Jenkins' engine", function () {
  this.timeout(120_000)
  let directory = ''
  let host: PublisherHost | undefined

  before(needsRoot)
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-over-'))
    chmodSync(directory, 0o755)
    host = await startPublisherHost(directory)
    const { port, hostKey, publisher, artifacts } = host
    const over = { host: '127.0.0.1', port, user: publisher.name, 'host-key': hostKey, credentials: 'publisher-key' }
    writeFiles(join(directory, 'site'), {
      'treeswap.yaml': JSON.stringify({ schema: 1, jenkins: { 'publish-over': over } }),
    })
    commitAll(join(directory, 'site'))
    writeFiles(join(directory, 'home'), { '.gitconfig': '[safe]\n\tdirectory = *\n' })
    await archive(artifacts, 1, { world: 'one\n' })
  })
  after(async () => {
    await host?.stop()
    if (directory !== '') rmSync(directory, { recursive: true })
  })

  it('asks the publisher with a key that is there only for that', async () => {
    const { builder, publisher, keyFile, root } = host!
    const key = readFileSync(keyFile, 'utf8')
    const workspace = join(directory, 'workspace')
    const { result, console, description } = await runPipeline(join(directory, 'engine'), {
      script: `@Library('treeswap') _
        treeswapPublish tree: 'box', reference: '1', publishOver: [credentials: 'publisher-key'],
          credentials: '', config: [url: '${directory}/site']`,
      job: 'treeswap/publish',
      number: 3,
      agents: { treeswap: { workspace, user: String(builder.uid), environment: { HOME: join(directory, 'home') } } },
      credentials: { 'publisher-key': { key } },
      library: makeLibrary(join(directory, 'library')),
    })
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(description).to.equal('box@1 published as generation 1')
    expect(readFileSync(join(root, 'published/box/.profile/var/lib/portage/world'), 'utf8')).to.equal('one\n')
    expect(statSync(join(root, 'published/box/')).uid).to.equal(publisher.uid)
    expect(console.join('\n')).not.to.contain(key.split('\n')[1])
  })
})
