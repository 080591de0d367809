import { Parser } from 'xml2js'
import { infrastructureError } from '../../model/errors.js'

/** An element of an XML document; comments and the text around child elements are left out. */
export interface XmlElement {
  name: string
  attributes: Readonly<Record<string, string>>
  /** '' where it has child elements */
  text: string
  children: readonly XmlElement[]
}

/** as xml2js gives it with its options below */
interface Raw {
  '#name': string
  $?: Record<string, string>
  _?: string
  $$?: Raw[]
}

/**
 * Reads a document of XML 1.0 or 1.1, which Jenkins writes. Entities of a DOCTYPE are not expanded.
 * @param what names it in errors
 * @throws XML_INVALID
 */
export async function readXml(text: string, what: string): Promise<XmlElement> {
  const parser = new Parser({ explicitChildren: true, preserveChildrenOrder: true, explicitRoot: false })
  try {
    const root = (await parser.parseStringPromise(text)) as Raw | null
    if (root !== null && typeof root === 'object') return elementOf(root)
  } catch (cause) {
    const [why = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    throw invalid(what, why, cause)
  }
  throw invalid(what, 'it is empty')
}

/** The element at the end of a path of names, the first of each name; undefined where there is none. */
export function descend(element: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce((at, name) => at?.children.find((child) => child.name === name), element)
}

/** Text of the element at `path`; undefined where there is none. */
export function textAt(element: XmlElement | undefined, ...path: string[]): string | undefined {
  return descend(element, ...path)?.text
}

function elementOf(raw: Raw): XmlElement {
  const children = (raw.$$ ?? []).map(elementOf)
  return {
    name: raw['#name'],
    attributes: raw.$ ?? {},
    text: children.length === 0 ? (raw._ ?? '') : '',
    children,
  }
}

function invalid(what: string, why: string, cause?: unknown): Error {
  return infrastructureError('XML_INVALID', `${what} is no XML: ${why}`, 'see what the server answers there', cause)
}
