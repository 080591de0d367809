import { descend, readXml, textAt } from './element.js'
import type { XmlElement } from './element.js'
import type { JobModel, ParameterModel } from './model.js'

/** What a config.xml says of what we set; null: it does not say, or it is of another kind. */
export type ParsedJob = {
  [Key in keyof Omit<JobModel, 'name'>]: JobModel[Key] | null
} & {
  disabled: boolean
  concurrent: boolean
  /** the class of another kind of definition, or that the sandbox is off */
  foreign: string | null
  /** another thing that we set in the same way for all jobs, and that is otherwise */
  altered: string | null
}

const WORKFLOW = 'org.jenkinsci.plugins.workflow'

/**
 * Reads the config.xml of a job. Jenkins writes it anew from what it has loaded: elements in another order, defaults
 * added, plugin="…" everywhere. So jobs are compared by what this returns.
 * @param what names it in errors
 */
export async function parseJobXml(xml: string, what: string): Promise<ParsedJob> {
  const root = await readXml(xml, what)
  const properties = descend(root, 'properties')
  const discarder = descend(properties, 'jenkins.model.BuildDiscarderProperty', 'strategy')
  const triggers = descend(properties, `${WORKFLOW}.job.properties.PipelineTriggersJobProperty`, 'triggers')
  return {
    description: textAt(root, 'description') ?? '',
    script: textAt(root, 'definition', 'script') ?? null,
    poll: textAt(triggers, 'hudson.triggers.SCMTrigger', 'spec') ?? null,
    timer: textAt(triggers, 'hudson.triggers.TimerTrigger', 'spec') ?? null,
    upstream: namesIn(textAt(triggers, 'jenkins.triggers.ReverseBuildTrigger', 'upstreamProjects')),
    quietSeconds: numberIn(textAt(root, 'quietPeriod')),
    keepRecords: numberIn(textAt(discarder, 'numToKeep')),
    keepArtifacts: numberIn(textAt(discarder, 'artifactNumToKeep')),
    parameters: parametersIn(descend(properties, 'hudson.model.ParametersDefinitionProperty', 'parameterDefinitions')),
    disabled: textAt(root, 'disabled') === 'true',
    concurrent: descend(properties, `${WORKFLOW}.job.properties.DisableConcurrentBuildsJobProperty`) === undefined,
    foreign: foreignIn(root),
    altered: alteredIn(discarder, triggers),
  }
}

function alteredIn(discarder: XmlElement | undefined, triggers: XmlElement | undefined): string | null {
  const kept = ['daysToKeep', 'artifactDaysToKeep'].find((name) => (numberIn(textAt(discarder, name)) ?? -1) !== -1)
  if (kept !== undefined) return `${kept} is set`
  const threshold = textAt(triggers, 'jenkins.triggers.ReverseBuildTrigger', 'threshold', 'name') ?? 'SUCCESS'
  return threshold === 'SUCCESS' ? null : `it runs after ${threshold}, too`
}

function foreignIn(root: XmlElement): string | null {
  if (root.name !== 'flow-definition') return root.name
  const definition = descend(root, 'definition')
  const kind = definition?.attributes.class ?? 'no definition'
  if (kind !== `${WORKFLOW}.cps.CpsFlowDefinition`) return kind
  return textAt(definition, 'sandbox') === 'true' ? null : 'a script outside of the sandbox'
}

function namesIn(text = ''): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : null
}

/** null: there are others than ours */
function parametersIn(definitions: XmlElement | undefined): ParameterModel[] | null {
  const parameters = (definitions?.children ?? []).map(parameterIn)
  return parameters.every((one) => one !== undefined) ? parameters : null
}

function parameterIn(element: XmlElement): ParameterModel | undefined {
  const name = textAt(element, 'name') ?? ''
  const description = textAt(element, 'description') ?? ''
  if (element.name === 'hudson.model.StringParameterDefinition') {
    return { name, description, kind: 'string', value: textAt(element, 'defaultValue') ?? '' }
  }
  if (element.name !== 'hudson.model.ChoiceParameterDefinition') return undefined
  return { name, description, kind: 'choice', choices: stringsIn(descend(element, 'choices')) }
}

/** XStream writes a list of strings in a form that depends on the list's class. */
function stringsIn(element: XmlElement | undefined): string[] {
  return (element?.children ?? []).flatMap((child) => (child.name === 'string' ? [child.text] : stringsIn(child)))
}
