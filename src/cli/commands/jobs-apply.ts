import { jenkinsOf } from '../../agent/sources.js'
import { loadConfig } from '../../config/load.js'
import { applyJobs } from '../../jenkins/jobs/apply.js'
import { jobsOf } from '../../jenkins/jobs/model.js'
import { defineCommand } from '../command.js'
import { jobsOptions, planJson, summarize } from '../job-plan.js'
import { configOption } from '../options.js'

export const jobsApply = defineCommand({
  name: 'jobs apply',
  summary: 'make, change and disable jobs in Jenkins, so that it has those of the configuration',
  examples: { 'jobs apply': 'without a seed job and Job DSL; the same again changes nothing' },
  positionals: {},
  options: { ...jobsOptions, ...configOption },
  async run(args, context) {
    const config = loadConfig(args.config)
    const list = jobsOf(config)
    const options = { report: context.report, allowShrink: args['allow-shrink'] }
    const plan = await applyJobs(jenkinsOf(config, context), list, options)
    return { json: planJson(plan), text: summarize(plan) }
  },
})
