/** Comparisons of the demo: each says what it found where it is not what was promised. */

export function expectSame(what: string, found: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)]
  if (left !== right) throw new Error(`${what}: expected ${right}, found ${left}`)
}

/** The same names, in whatever order. */
export function expectNames(what: string, found: readonly string[], expected: readonly string[]): void {
  expectSame(what, [...found].sort(), [...expected].sort())
}

export function expectTrue(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what}: it is not so`)
}
