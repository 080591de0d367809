import { Builder } from 'xml2js'
import type { FolderModel, JobModel, ParameterModel } from './model.js'

/**
 * config.xml of jobs and folders, as Jenkins' XStream reads it: class names as elements, no plugin="…" (it is optional,
 * and would tie the file to versions).
 */
const PIPELINE = 'org.jenkinsci.plugins.workflow'
const builder = new Builder({
  xmldec: { version: '1.0', encoding: 'UTF-8' },
  renderOpts: { pretty: true, indent: '  ', newline: '\n' },
})

type Node = string | number | boolean | Tree | Node[]
interface Tree {
  [name: string]: Node
}

/** @returns config.xml of an enabled job */
export function jobXml(job: JobModel): string {
  return builder.buildObject({
    'flow-definition': {
      description: job.description,
      keepDependencies: false,
      properties: propertiesOf(job),
      definition: {
        $: { class: `${PIPELINE}.cps.CpsFlowDefinition` },
        script: job.script,
        sandbox: true,
      },
      quietPeriod: job.quietSeconds,
      disabled: false,
    },
  })
}

/** @returns config.xml of a folder */
export function folderXml({ description }: Pick<FolderModel, 'description'>): string {
  return builder.buildObject({ 'com.cloudbees.hudson.plugins.folder.Folder': { description, properties: {} } })
}

function propertiesOf(job: JobModel): Tree {
  return {
    ...(job.parameters.length > 0 && {
      'hudson.model.ParametersDefinitionProperty': { parameterDefinitions: parametersOf(job.parameters) },
    }),
    [`${PIPELINE}.job.properties.DisableConcurrentBuildsJobProperty`]: {},
    'jenkins.model.BuildDiscarderProperty': {
      strategy: {
        $: { class: 'hudson.tasks.LogRotator' },
        daysToKeep: -1,
        numToKeep: job.keepRecords,
        artifactDaysToKeep: -1,
        artifactNumToKeep: job.keepArtifacts,
      },
    },
    ...((job.poll !== null || job.timer !== null || job.upstream.length > 0) && {
      [`${PIPELINE}.job.properties.PipelineTriggersJobProperty`]: { triggers: triggersOf(job) },
    }),
  }
}

function triggersOf({ poll, timer, upstream }: JobModel): Tree {
  return {
    ...(poll !== null && { 'hudson.triggers.SCMTrigger': { spec: poll, ignorePostCommitHooks: false } }),
    ...(timer !== null && { 'hudson.triggers.TimerTrigger': { spec: timer } }),
    ...(upstream.length > 0 && {
      'jenkins.triggers.ReverseBuildTrigger': {
        spec: '',
        upstreamProjects: upstream.join(', '),
        threshold: { name: 'SUCCESS', ordinal: 0, color: 'BLUE', completeBuild: true },
      },
    }),
  }
}

/** An array inside an array: xml2js then keeps elements of several names in their order, in which Jenkins shows them. */
function parametersOf(parameters: ParameterModel[]): Node[] {
  return [parameters.map(parameterOf)]
}

function parameterOf(parameter: ParameterModel): Tree {
  const { name, description } = parameter
  if (parameter.kind === 'string') {
    return {
      'hudson.model.StringParameterDefinition': { name, description, defaultValue: parameter.value, trim: false },
    }
  }
  const choices = {
    $: { class: 'java.util.Arrays$ArrayList' },
    a: { $: { class: 'string-array' }, string: parameter.choices },
  }
  return { 'hudson.model.ChoiceParameterDefinition': { name, description, choices } }
}
