/**
 * A distribution on top of Arch, on real input: recipes, a release tag and a list in git, real makepkg in containers,
 * signed packages, a client with pacman that demands signatures, a web host reached by SFTP. Needs root. `--keep` leaves
 * the work directory behind.
 */
import { join } from 'node:path'
import process from 'node:process'
import { perform } from '../demo/perform.js'
import { Stage } from '../demo/stage.js'
import { pacmanBuilderRoot } from '../lab/pacman-root.js'
import { PacmanClient } from '../lab/pacman-client.js'
import type { PacmanConfiguration } from '../lab/pacman-client.js'
import { freePorts } from '../lab/ports.js'
import { makeSigningKey } from '../lab/signing-key.js'
import { distfiles } from '../lab/sources.js'
import { startWebHost } from '../upload/web-host.js'
import { Publisher, TREE } from './publisher.js'
import { Distribution } from './recipes.js'
import { firstRound, fourthRound, secondRound, thirdRound } from './rounds.js'

const stage = new Stage()

async function demo(directory: string, signal: AbortSignal): Promise<void> {
  const tell = (text: string): void => stage.answer(text)
  const [http = 0, mirror = 0, web = 0] = await freePorts(3)
  const publisher = new Publisher(directory, { http, mirror, web }, stage, signal)
  const host = await startWebHost({ parent: directory })
  try {
    stage.title('Setting the scene')
    const upstream = await stage.step('upstream sources', () => distfiles(tell))
    const from = await stage.step('a root with makepkg, pacman and a compiler', () => pacmanBuilderRoot(tell))
    const releases = join(directory, 'releases')
    const distribution = await stage.step('git repositories: recipes, a tagged program, a list, two of the AUR', () =>
      Distribution.create(join(directory, 'git'), releases, `http://127.0.0.1:${mirror}`, upstream),
    )
    await stage.step('a signing key, treeswap.yaml and the servers it describes', async () => {
      const key = await makeSigningKey(directory, 'release')
      publisher.writeConfiguration(distribution, from, key, host)
      stage.answer((await publisher.treeswap(['config', 'check'])).stdout)
      await publisher.serve(releases, host.top)
    })
    const client = async (name: string, ...options: string[]): Promise<PacmanClient> => {
      const made = await PacmanClient.create(join(directory, name), tell, (line) => stage.progress(line), signal)
      const run = await publisher.treeswap(['config', 'pacman', TREE, ...options, '--json'])
      const configuration = run.document() as PacmanConfiguration
      stage.answer(configuration.section)
      for (const { argv } of configuration.commands) stage.command(`${name}: ${argv.join(' ')}`)
      await made.configure(configuration)
      return made
    }
    const scene = { distribution, publisher, stage, host }
    const first = await firstRound(scene, () => client('client'))
    await secondRound(scene, first)
    await thirdRound(scene, first)
    await fourthRound(scene, first, () => client('other', '--url', `http://127.0.0.1:${web}`))
  } finally {
    await publisher.stop()
    await host.stop()
  }
}

process.exitCode = await perform('treeswap-demo-arch', stage, demo)
