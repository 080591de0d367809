import { loadConfig } from '../../config/load.js'
import { renderJobs } from '../../jenkins/jobs/render.js'
import { count } from '../../model/quantity.js'
import { defineCommand } from '../command.js'
import { jobsOptions } from '../job-plan.js'
import { configOption } from '../options.js'

export const jobsRender = defineCommand({
  name: 'jobs render',
  summary: 'write the list of Jenkins jobs that the seed script makes',
  examples: {
    'jobs render': 'writes jobs.json, unless it would lose more than half of its jobs',
    'jobs render --out new.json --previous jobs.json': 'compared with another list',
  },
  positionals: {},
  options: {
    out: { type: 'string', default: 'jobs.json', describe: 'file to write' },
    previous: {
      type: 'string',
      describe: 'the list of before; default: the file that is to be written, if it is there',
    },
    ...jobsOptions,
    ...configOption,
  },
  run(args) {
    const { out, previous } = args
    const { list, before } = renderJobs(loadConfig(args.config), {
      out,
      allowShrink: args['allow-shrink'],
      ...(previous !== undefined && { previous }),
    })
    const jobs = list.jobs.map(({ name }) => `${list.folder}/${name}`)
    const were = before === undefined ? '' : `, ${before} before`
    return Promise.resolve({ json: { file: out, jobs, before }, text: `${out}: ${count(jobs.length, 'job')}${were}` })
  },
})
