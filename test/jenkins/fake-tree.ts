/** The part of an object that `tree=a,b[c,d]` asks for. What is not named is left out; `_class` always comes. */
export function select(data: unknown, tree: string): unknown {
  return pick(data, parse(tree))
}

type Tree = Map<string, Tree>

function pick(data: unknown, tree: Tree): unknown {
  if (Array.isArray(data)) return data.map((entry) => pick(entry, tree))
  if (typeof data !== 'object' || data === null) return data
  const entries = Object.entries(data).filter(([key]) => key === '_class' || tree.has(key))
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === '_class' ? value : pick(value, tree.get(key)!)]),
  )
}

function parse(text: string): Tree {
  const top: Tree = new Map()
  const stack = [top]
  for (const [, name = '', mark = ''] of text.matchAll(/([A-Za-z_]*)([,[\]]|$)/g)) {
    const current = stack.at(-1)
    if (current === undefined) throw new Error(`tree=${text} has too many ]`)
    const below: Tree = new Map()
    if (name !== '') current.set(name, below)
    if (mark === '[') stack.push(below)
    if (mark === ']') stack.pop()
  }
  if (stack.length !== 1) throw new Error(`tree=${text} lacks a ]`)
  return top
}
