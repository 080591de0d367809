/**
 * The main job on real input: git repositories, a real Portage in a chroot, real servers, a client that updates.
 * Needs root. `--keep` leaves the work directory behind.
 */
import { join } from 'node:path'
import process from 'node:process'
import { builderRoot } from '../lab/portage-root.js'
import { makeRepos } from '../lab/repos.js'
import { distfiles } from '../lab/sources.js'
import { Machine } from './machine.js'
import { perform } from './perform.js'
import { choosePorts, Publisher } from './publisher.js'
import { firstRound, fourthRound, secondRound, thirdRound } from './rounds.js'
import { Stage } from './stage.js'

const stage = new Stage()

async function demo(directory: string, signal: AbortSignal): Promise<void> {
  const tell = (text: string): void => stage.answer(text)
  const ports = await choosePorts()
  const publisher = new Publisher(directory, ports, stage, signal)
  try {
    stage.title('Setting the scene')
    const sources = await stage.step('upstream sources', () => distfiles(tell))
    const from = await stage.step('a root with Portage and a compiler', () => builderRoot(tell))
    const repos = await stage.step('git repositories: gentoo, overlay, profiles', () =>
      makeRepos(join(directory, 'git'), sources, `http://127.0.0.1:${ports.mirror}`),
    )
    await stage.step('treeswap.yaml and the servers it describes', async () => {
      publisher.writeConfiguration(repos, from)
      stage.answer((await publisher.treeswap(['config', 'check'])).stdout)
      await publisher.serve(sources)
    })
    let machine: Promise<Machine> | undefined
    const scene = {
      repos,
      publisher,
      stage,
      machine: () =>
        (machine ??= stage.step('a client, configured as treeswap says', () =>
          Machine.create(join(directory, 'client'), publisher, stage, signal),
        )),
    }
    const first = await firstRound(scene)
    await secondRound(scene, first)
    await thirdRound(scene)
    await fourthRound(scene)
  } finally {
    await publisher.stop()
  }
}

process.exitCode = await perform('treeswap-demo', stage, demo)
if (process.exitCode === 0) stage.print('\nand the same for pacman: npm run demo:arch')
