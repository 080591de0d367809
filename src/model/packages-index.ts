import { configurationError } from './errors.js'

/**
 * `Packages`, the index of a Gentoo binary package host: header lines, a blank line, one stanza a package, each line
 * `KEY: value`, stanzas apart by a blank line (Portage, lib/portage/getbinpkg.py, PackageIndex).
 */
export interface PackagesIndex {
  header: Map<string, string>
  stanzas: Stanza[]
}

/** Fields of one package, in order. */
export type Stanza = Map<string, string>

/**
 * Order and fields that are not known here are kept.
 * @param source named in errors
 * @throws PACKAGES_INVALID
 */
export function parsePackages(text: string, source: string): PackagesIndex {
  const blocks: Map<string, string>[] = []
  let block = new Map<string, string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') {
      if (block.size > 0) blocks.push(block)
      block = new Map()
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) throw invalid(source, `line ${index + 1} is no "KEY: value"`)
    block.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  if (block.size > 0) blocks.push(block)
  const [header, ...stanzas] = blocks
  if (header === undefined) throw invalid(source, 'it is empty')
  if (header.has('CPV')) throw invalid(source, 'it has no header')
  const nameless = stanzas.findIndex((stanza) => !stanza.has('CPV'))
  if (nameless !== -1) throw invalid(source, `stanza ${nameless + 1} names no package (CPV)`)
  return { header, stanzas }
}

/** The index as text, PACKAGES being the number of stanzas. */
export function formatPackages({ header, stanzas }: PackagesIndex): string {
  const counted = new Map(header).set('PACKAGES', String(stanzas.length))
  return [counted, ...stanzas].map((block) => formatBlock(block) + '\n').join('')
}

function formatBlock(block: Map<string, string>): string {
  return Array.from(block, ([key, value]) => `${key}: ${value}\n`).join('')
}

/** Path of a stanza's package below the index; Portage leaves PATH out where it is the old default. */
export function packagePath(stanza: Stanza): string {
  return stanza.get('PATH') ?? `${stanza.get('CPV') ?? ''}.tbz2`
}

function invalid(source: string, why: string): Error {
  return configurationError(
    'PACKAGES_INVALID',
    `${source} is no index of binary packages: ${why}`,
    'run `emaint binhost --fix` in the root that made it, then build again',
  )
}
