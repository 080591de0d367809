import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../../src/system/process.js'

const firstCommit = Date.UTC(2024, 0, 1) / 1000
const interval = 60

/** A git repository whose commits are the same in every run: fixed author, one minute between commits. */
export class GitRepo {
  private commits = 0

  private constructor(readonly directory: string) {}

  /** Commits what lies in `directory` as the first commit of branch main. */
  static async create(directory: string): Promise<GitRepo> {
    await run('git', ['init', '--quiet', '--initial-branch=main', directory])
    const repo = new GitRepo(directory)
    await repo.commit('First commit')
    return repo
  }

  write(path: string, content: string): void {
    const file = join(this.directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }

  read(path: string): string {
    return readFileSync(join(this.directory, path), 'utf8')
  }

  remove(path: string): void {
    rmSync(join(this.directory, path))
  }

  /** Commits everything that changed. @returns the commit */
  async commit(message: string): Promise<string> {
    const when = `${firstCommit + this.commits++ * interval} +0000`
    const person = { NAME: 'Lab', EMAIL: 'lab@example.org', DATE: when }
    const env = Object.entries(process.env).concat(
      ['AUTHOR', 'COMMITTER'].flatMap((role) =>
        Object.entries(person).map(([key, value]): [string, string] => [`GIT_${role}_${key}`, value]),
      ),
    )
    await this.git('add', '--all')
    await run('git', ['-C', this.directory, 'commit', '--quiet', '--no-gpg-sign', '--message', message], {
      env: Object.fromEntries(env.filter((entry): entry is [string, string] => entry[1] !== undefined)),
    })
    return (await this.git('rev-parse', 'HEAD')).trim()
  }

  private async git(...args: string[]): Promise<string> {
    return await run('git', ['-C', this.directory, ...args])
  }
}
