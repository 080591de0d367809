/** The client of the demo and what is asked of it after every round. */
import { Client, emergedIn } from '../lab/client.js'
import type { Emerged } from '../lab/client.js'
import { differences, digestOf } from '../lab/digest.js'
import { expectSame } from './expect.js'
import { TREE } from './publisher.js'
import type { Publisher } from './publisher.js'
import type { Stage } from './stage.js'

/** What `treeswap config portage` prints for a client. */
interface ClientConfiguration {
  files: { path: string; content: string }[]
  /** the client's normal commands, in their order */
  commands: { what: string; argv: string[] }[]
}

const ownConfiguration = ['repos.conf', 'binrepos.conf', 'gnupg']

/** Stands for the keyring that a client has made for itself. */
const key = { path: '/etc/portage/gnupg/private-key', content: 'known to this client alone\n' }

export class Machine {
  private constructor(
    private readonly client: Client,
    private readonly configuration: ClientConfiguration,
    private readonly publisher: Publisher,
    private readonly stage: Stage,
  ) {}

  static async create(root: string, publisher: Publisher, stage: Stage, signal: AbortSignal): Promise<Machine> {
    const client = await Client.create(
      root,
      (text) => stage.answer(text),
      (line) => stage.progress(line),
      signal,
    )
    const run = await publisher.treeswap(['config', 'portage', TREE, '--json'])
    const { files, commands } = run.document() as ClientConfiguration
    for (const { path, content } of files) stage.answer(`# ${path}\n${content}`)
    client.writeFiles([...files, key])
    return new Machine(client, { files: [...files, key], commands }, publisher, stage)
  }

  /** The normal commands of a client, and nothing else. @returns what its emerge did */
  async follow(): Promise<Emerged> {
    const all: Emerged = { fromBinary: [], compiled: [], removed: [] }
    for (const { argv } of this.configuration.commands) {
      this.stage.command(`client: ${argv.join(' ')}`)
      const { fromBinary, compiled, removed } = emergedIn((await this.client.run(argv)).lines)
      all.fromBinary.push(...fromBinary)
      all.compiled.push(...compiled)
      all.removed.push(...removed)
    }
    this.stage.answer(`installed from binary packages: ${all.fromBinary.join(', ') || 'nothing'}`)
    if (all.removed.length > 0) this.stage.answer(`removed: ${all.removed.join(', ')}`)
    expectSame('packages compiled by the client', all.compiled, [])
    return all
  }

  /** Compares everything the client took over with the generation that is served, by sha256. @returns files compared */
  expectServedTrees(): number {
    const generation = this.publisher.generation()
    const pairs: [served: string, own: string, ignored: string[]][] = [
      ['gentoo', 'var/db/repos/gentoo', []],
      ['overlay', 'var/db/repos/overlay', []],
      ['.profile/etc/portage', 'etc/portage', ownConfiguration],
      ['.profile/var/lib/portage', 'var/lib/portage', ['config', 'repo_revisions', 'preserved_libs_registry']],
    ]
    return pairs.reduce((sum, [served, own, ignored]) => {
      const expected = digestOf(`${generation}/${served}`)
      expectSame(`the client's ${own}`, differences(expected, digestOf(this.client.path(own), ignored)), [])
      return sum + expected.size
    }, 0)
  }

  /** What belongs to the client and not to its profile is as the client wrote it. */
  expectOwnConfiguration(): void {
    for (const { path, content } of this.configuration.files) expectSame(path, this.client.read(path), content)
  }

  /** Runs the installed program, which needs all libraries of the overlay and the main repo. */
  async expectProgram(version: string): Promise<string> {
    const { lines } = await this.client.type('printf "Straße street\\nHaus house\\n" | wordindex /tmp/index STRASSE')
    const line = lines.find((text) => text.startsWith('wordindex '))
    expectSame('output of wordindex on the client', line, `wordindex ${version}: STRASSE = street`)
    return line ?? ''
  }

  async expectHello(): Promise<string> {
    const { lines } = await this.client.type('hello')
    expectSame('output of hello on the client', lines.at(-1), 'Hello, world!')
    return lines.at(-1) ?? ''
  }

  has(path: string): boolean {
    return this.client.has(path)
  }

  hasCompiler(): boolean {
    return ['gcc', 'cc', 'x86_64-linux-gnu-gcc', 'make'].some((program) => this.client.has(`usr/bin/${program}`))
  }

  read(path: string): string {
    return this.client.read(path)
  }

  installed(): string[] {
    return this.client.installed()
  }
}
