/** What the audience sees: steps with a time and a tick, commands as they are typed, a table of what was proven. */
import process from 'node:process'

const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined
const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const red = paint(31)

/** Lines of progress are shown at most this often, in milliseconds. */
const SHOW_EVERY = 2000

export class Stage {
  private readonly proven: [what: string, seen: string][] = []
  private readonly started = performance.now()
  private lastShown = 0

  /** @param write where it is shown */
  constructor(private readonly write: (text: string) => void = (text) => process.stdout.write(text)) {}

  title(text: string): void {
    this.print(`\n${bold(text)}`)
  }

  /** Runs one step; its result is handed on. A failing step is marked and ends the demo. */
  async step<T>(text: string, action: () => Promise<T> | T): Promise<T> {
    const start = performance.now()
    const time = (): string => dim(`(${seconds(performance.now() - start)})`)
    this.print(`  … ${text}`)
    this.lastShown = performance.now()
    try {
      const result = await action()
      this.print(`  ${green('✔')} ${text} ${time()}`)
      return result
    } catch (error) {
      this.print(`  ${red('✘')} ${text} ${time()}`)
      throw error
    }
  }

  command(text: string): void {
    this.print(`    ${bold('$')} ${text}`)
  }

  /** A command's answer, to be read. */
  answer(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.print(`      ${line}`)
  }

  /** Something a long command says while it works; shown now and then. */
  progress(line: string): void {
    if (line.trim() === '' || performance.now() - this.lastShown < SHOW_EVERY) return
    this.lastShown = performance.now()
    this.print(dim(`      ${line.trim().slice(0, 110)}`))
  }

  /** Something that was proven, and by what. */
  prove(what: string, seen: string): void {
    this.proven.push([what, seen])
  }

  table(): void {
    const width = Math.max(...this.proven.map(([what]) => what.length))
    this.title(`Proven, in ${seconds(performance.now() - this.started)}`)
    for (const [what, seen] of this.proven) this.print(`  ${green('✔')} ${what.padEnd(width)}  ${seen}`)
  }

  failed(error: unknown): void {
    this.print(`\n${red('The demo failed:')} ${error instanceof Error ? error.message : String(error)}`)
  }

  print(text: string): void {
    this.write(`${text}\n`)
  }
}

export function bytes(count: number): string {
  return count < 1024
    ? `${count} B`
    : count < 1024 ** 2
      ? `${(count / 1024).toFixed(1)} KiB`
      : `${(count / 1024 ** 2).toFixed(1)} MiB`
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
