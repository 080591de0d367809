import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { packTree } from '../../src/artifact/pack-tree.js'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { Config } from '../../src/config/config.js'
import { parseConfig } from '../../src/config/load.js'
import { machineInputs } from '../../src/machines/inputs.js'
import { fetchProfile } from '../../src/machines/profile-checkout.js'
import { snapshotOf } from '../../src/machines/repo-snapshots.js'
import { runTrees } from '../../src/pipeline/run.js'
import type { RunOutcome } from '../../src/pipeline/run.js'
import { commitAll } from '../lab/commit-all.js'
import { silent } from '../lab/silent.js'
import { writeFiles } from '../lab/temporary.js'

/** Repositories and a configuration for runs that need no container: the repos bring their caches. */
export class RunSite {
  constructor(readonly directory: string) {}

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }

  /** Commits an ebuild repo that builds upon `masters`. */
  repo(name: string, masters = '', files: Record<string, string> = {}): void {
    writeFiles(this.path('git', name), {
      'profiles/repo_name': `${name}\n`,
      'metadata/layout.conf': `masters = ${masters}\n`,
      'metadata/md5-cache/app-test/tool-1': '',
      ...files,
    })
    commitAll(this.path('git', name))
  }

  profile(files: Record<string, string> = {}): void {
    writeFiles(this.path('git/profile'), { 'etc-portage/make.conf': '', world: '', ...files })
    commitAll(this.path('git/profile'))
  }

  /** @param machines machine → its repos */
  config(repos: readonly string[], machines: Record<string, readonly string[]>): Config {
    const lines = [
      'schema: 1',
      `publisher: { root: ${this.path('srv')} }`,
      `builder: { directory: ${this.path('builder')} }`,
      'repos:',
      ...repos.map((name) => `  ${name}: { url: ${this.path('git', name)}, poll: 1s }`),
      'machines:',
      ...Object.entries(machines).map(
        ([name, list]) =>
          `  ${name}: { profile: { url: ${this.path('git/profile')} }, repos: [${list.join(', ')}], poll: 1s }`,
      ),
    ]
    return parseConfig(lines.join('\n'), this.path('treeswap.yaml'))
  }

  run(config: Config, skip: readonly string[] = []): Promise<RunOutcome> {
    return runTrees(config, { trees: [], tools: {}, skip: new Set(skip) }, silent)
  }

  /** Archives a build of a machine as a container would have made it from what there is now. */
  async archive(config: Config, name: string, number: number): Promise<void> {
    const machine = config.machines.get(name)!
    const source = openDirectorySource(config.builder.artifacts)
    const snapshots = await Promise.all(machine.repos.map((repo) => snapshotOf(source, repo)))
    const { input } = await fetchProfile(machine, this.path('profile-clone'), silent)
    const directory = this.path(`parts-${name}-${number}`)
    writeFiles(directory, {
      'etc-portage/make.conf': '',
      'var-lib-portage/world': '',
      'binpkgs/Packages': 'ARCH: amd64\nPACKAGES: 0\nTIMESTAMP: 1\nVERSION: 0\n\n',
    })
    mkdirSync(join(directory, 'repos'))
    await packTree(
      {
        directory,
        tree: name,
        number,
        output: this.path('builder/artifacts', name, String(number)),
        repoPacks: snapshots.map(({ place }) => place),
        inputs: machineInputs(machine, snapshots, input),
      },
      silent,
    )
  }
}
