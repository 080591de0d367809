import { Builder } from 'xml2js'

interface Freestyle {
  /** run by sh -xe in the workspace */
  command: string
  /** git repository of which branch main is checked out; it is polled when that is asked for (and once a year) */
  git?: string
  /** whether builds archive what lies in `artifact/`, as the pipelines do */
  archive?: boolean
  /** names of string parameters */
  parameters?: string[]
}

/**
 * A job as Hudson has them: it has no pipelines. The git plugin of then reads this short form, which became
 * userRemoteConfigs and branches later.
 */
export function freestyle({ command, git, archive = false, parameters = [] }: Freestyle): string {
  return new Builder().buildObject({
    project: {
      ...(parameters.length > 0 && {
        properties: {
          'hudson.model.ParametersDefinitionProperty': {
            parameterDefinitions: {
              'hudson.model.StringParameterDefinition': parameters.map((name) => ({ name, defaultValue: '' })),
            },
          },
        },
      }),
      ...(git !== undefined && {
        scm: { $: { class: 'hudson.plugins.git.GitSCM' }, source: git, branch: 'main' },
        triggers: { $: { class: 'vector' }, 'hudson.triggers.SCMTrigger': { spec: '0 0 1 1 *' } },
      }),
      builders: { 'hudson.tasks.Shell': { command } },
      ...(archive && {
        publishers: { 'hudson.tasks.ArtifactArchiver': { artifacts: 'artifact/*', latestOnly: false } },
      }),
    },
  })
}
