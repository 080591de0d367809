/** What becomes of an item that is made or changed by a config.xml: it is written anew, in Jenkins' own way. */
export function understood(xml: string): { xml: string; disabled: boolean } {
  return { xml: rewritten(xml), disabled: textOf(xml, 'disabled') === 'true' }
}

export function descriptionIn(xml: string): string | null {
  return textOf(xml, 'description')
}

/** As XStream writes a pipeline job or a folder: version 1.1, plugin="…" and defaults added, elements in another order. */
function rewritten(xml: string): string {
  const body = xml.replace(/^\s*<\?xml[^?]*\?>\s*/, '')
  const [, tag, inner = ''] = /^<([\w.-]+)[^>]*>([^]*)<\/\1>\s*$/.exec(body) ?? []
  if (tag === undefined) return xml
  const disabled = textOf(body, 'disabled') === 'true'
  const moved = inner.replace(/\s*<disabled>.*?<\/disabled>/, '')
  const more = moved
    .replace(/<definition class="/, '<definition plugin="workflow-cps@4000.v1" class="')
    .replace(
      /<(\S+DisableConcurrentBuildsJobProperty)\/>/,
      '<$1>\n      <abortPrevious>false</abortPrevious>\n    </$1>',
    )
    .replace(/(<artifactNumToKeep>.*?<\/artifactNumToKeep>)/, '$1<removeLastBuild>false</removeLastBuild>')
  const own = tag === 'flow-definition' ? `<disabled>${disabled}</disabled>\n  <actions/>` : '<actions/>'
  return `<?xml version='1.1' encoding='UTF-8'?>\n<${tag} plugin="x@1">\n  ${own}${more}</${tag}>`
}

function textOf(xml: string, tag: string): string | null {
  const text = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1]
  return text === undefined ? null : text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')
}
