// mocha's spec reporter that also writes "PASSED FAILED SKIPPED" to the file named by the option `totals`.
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

export default class SpecWithTotals extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats
      writeFileSync(options.reporterOptions.totals, `${passes} ${failures} ${pending}\n`)
    })
  }
}
