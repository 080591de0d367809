import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Counts the programs that treeswap starts, by strace. */
export class CountedPrograms {
  private readonly calls: string

  /** @param directory for strace's file */
  constructor(directory: string) {
    this.calls = join(directory, 'calls')
  }

  /** Program and arguments under which treeswap is counted, once. */
  get under(): string[] {
    return ['strace', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=execve', '-e', 'status=successful', '-o', this.calls]
  }

  /** How often a program was started. */
  count(program: string): number {
    const starts = readFileSync(this.calls, 'utf8').split('\n')
    return starts.filter((line) => line.includes(`/${program}", ["`)).length
  }
}
