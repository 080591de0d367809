import { execa } from 'execa'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JobModel } from '../../../src/jenkins/jobs/model.js'
import { cachedDirectory } from '../../lab/cache.js'

const VERSION = '6.5.0'

/**
 * What jenkins-job-builder, which others wrote from Jenkins' own files, makes of the same jobs.
 * @param directory for its files
 * @returns config.xml by name of the job
 */
export async function buildWithJobBuilder(
  directory: string,
  jobs: readonly JobModel[],
): Promise<Record<string, string>> {
  const input = join(directory, 'jobs.yaml')
  writeFileSync(input, JSON.stringify(jobs.map((job) => ({ job: described(job) }))))
  const out = join(directory, 'built')
  await execa('/usr/bin/python3', ['-m', 'jenkins_jobs', 'test', '--config-xml', '-o', out, input], {
    env: { PYTHONPATH: await jobBuilder() },
  })
  return Object.fromEntries(jobs.map(({ name }) => [name, readFileSync(join(out, name, 'config.xml'), 'utf8')]))
}

/** https://jenkins-job-builder.readthedocs.io/en/latest/definition.html */
function described(job: JobModel): unknown {
  return {
    name: job.name,
    'project-type': 'pipeline',
    description: job.description,
    disabled: false,
    concurrent: false,
    'quiet-period': job.quietSeconds,
    sandbox: true,
    // braces stand for its own parameters unless doubled
    dsl: job.script.replace(/[{}]/g, '$&$&'),
    properties: [{ 'build-discarder': { 'num-to-keep': job.keepRecords, 'artifact-num-to-keep': job.keepArtifacts } }],
    parameters: job.parameters.map((parameter) =>
      parameter.kind === 'choice'
        ? { choice: { name: parameter.name, description: parameter.description, choices: parameter.choices } }
        : { string: { name: parameter.name, description: parameter.description, default: parameter.value } },
    ),
    triggers: [
      ...(job.poll === null ? [] : [{ pollscm: { cron: job.poll } }]),
      ...(job.timer === null ? [] : [{ timed: job.timer }]),
      ...(job.upstream.length === 0 ? [] : [{ reverse: { jobs: job.upstream.join(', '), result: 'success' } }]),
    ],
  }
}

function jobBuilder(): Promise<string> {
  return cachedDirectory(`jenkins-job-builder-${VERSION}`, async (partial) => {
    const options = ['--quiet', '--disable-pip-version-check', '--no-warn-script-location', '--root-user-action=ignore']
    await execa('/usr/bin/python3', [
      ...['-m', 'pip', 'install', ...options],
      ...['--target', partial, `jenkins-job-builder==${VERSION}`],
    ])
  })
}
