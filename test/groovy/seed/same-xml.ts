import { readXml } from '../../../src/jenkins/jobs/element.js'
import type { XmlElement } from '../../../src/jenkins/jobs/element.js'

/** An element as a value that chai compares: attributes and children in a fixed order where order means nothing. */
export interface Tree {
  tag: string
  content: string | Tree[]
}

/**
 * What a config.xml says, whoever wrote it.
 * @param leaveOut whether an element means nothing; said where it is called
 */
export async function treeOf(xml: string, leaveOut: (element: XmlElement) => boolean = () => false): Promise<Tree> {
  return valueOf(await readXml(xml, 'config.xml'), leaveOut)
}

/** Jenkins shows these in the order of the file. */
const ordered = ['parameterDefinitions', 'a']

function valueOf({ name, attributes, text, children }: XmlElement, leaveOut: (element: XmlElement) => boolean): Tree {
  const written = Object.entries(attributes).filter(([key]) => key !== 'plugin')
  const tag = [name, ...written.map(([key, value]) => `${key}=${value}`).sort()].join(' ')
  if (children.length === 0) return { tag, content: text.trimEnd() }
  const values = children.filter((child) => !leaveOut(child)).map((child) => valueOf(child, leaveOut))
  return { tag, content: ordered.includes(name) ? values : values.sort((a, b) => a.tag.localeCompare(b.tag)) }
}
