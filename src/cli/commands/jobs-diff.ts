import { jenkinsOf } from '../../agent/sources.js'
import { loadConfig } from '../../config/load.js'
import { jobsOf } from '../../jenkins/jobs/model.js'
import { planJobs } from '../../jenkins/jobs/plan.js'
import { defineCommand } from '../command.js'
import { describeSteps, planJson } from '../job-plan.js'
import { configOption } from '../options.js'

export const jobsDiff = defineCommand({
  name: 'jobs diff',
  summary: 'show what `jobs apply` would do',
  examples: { 'jobs diff': 'asks Jenkins, changes nothing' },
  positionals: {},
  options: configOption,
  async run(args, context) {
    const config = loadConfig(args.config)
    const plan = await planJobs(jenkinsOf(config, context), jobsOf(config))
    return { json: planJson(plan), text: describeSteps(plan.steps) || 'nothing differs' }
  },
})
