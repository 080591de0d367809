/** One section of `.SRCINFO`: what it is of, and its values in order; an empty one says that there are none. */
export interface Section {
  kind: 'pkgbase' | 'pkgname'
  name: string
  values: Map<string, string[]>
}

/** far above what any recipe has: the kernel's has 30 kB */
const MAX_TEXT = 2 ** 20
const LINE = /^(\t| *)([a-z][a-z0-9_]*) =(?: (.*))?$/
const CONTROL = /(?!\t)\p{Cc}/u

/**
 * The format that `makepkg --printsrcinfo` writes (makepkg's srcinfo.sh): a section of pkgbase, then one of each
 * pkgname; `key = value` lines; comments and empty lines mean nothing.
 * @returns what is wrong with it, where it is no such text
 */
export function readSections(text: string): Section[] | string {
  if (text.length > MAX_TEXT) return `it is longer than ${MAX_TEXT} characters`
  const sections: Section[] = []
  const names = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const wrong = takeLine(line, sections, names)
    if (wrong !== undefined) return `line ${index + 1} ${wrong}`
  }
  if (sections.length === 0) return 'it is empty'
  return sections.length === 1 ? 'it names no package (pkgname)' : sections
}

function takeLine(line: string, sections: Section[], names: Set<string>): string | undefined {
  const [, indent, key, value = ''] = LINE.exec(line) ?? []
  if (indent === undefined || key === undefined) return 'is no "key = value"'
  if (CONTROL.test(value) || value.includes('\ufffd')) return 'holds a control character or is not UTF-8'
  if (key === 'pkgbase' || key === 'pkgname') return openSection(key, value.trim(), sections, names)
  const section = sections.at(-1)
  if (section === undefined) return 'comes before pkgbase'
  const values = section.values.get(key) ?? []
  section.values.set(key, values)
  if (value.trim() !== '') values.push(value.trim())
  return undefined
}

function openSection(kind: Section['kind'], name: string, sections: Section[], names: Set<string>): string | undefined {
  if ((kind === 'pkgbase') !== (sections.length === 0)) return `has ${kind} where it does not belong`
  if (names.has(name)) return `names the package ${JSON.stringify(name)} a second time`
  if (kind === 'pkgname') names.add(name)
  sections.push({ kind, name, values: new Map() })
  return undefined
}
