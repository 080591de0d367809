import { expect } from 'chai'
import { withoutOutput } from '../../src/pipeline/quiet-report.js'

describe('a report without what programs print', () => {
  function open() {
    const told: string[] = []
    let time = 0
    const tell = (text: string): unknown => told.push(text)
    const inner = { step: tell, line: tell, warn: tell, progress: (done: number) => tell(`progress ${done}`) }
    return { report: withoutOutput(inner, () => time), told, pass: (seconds: number) => (time += seconds * 1000) }
  }

  it('tells steps, warnings and progress, and no line of output', () => {
    const { report, told } = open()
    report.step('building alpha')
    for (let line = 0; line < 1000; line++) report.line(`alpha: ${line}`)
    report.warn('alpha failed')
    report.progress(1, 2)
    expect(told).to.deep.equal(['building alpha', 'alpha failed', 'progress 1'])
  })

  it('gives a sign of life once a minute while nothing else is told', () => {
    const { report, told, pass } = open()
    report.step('building alpha')
    for (let second = 1; second <= 150; second++) {
      pass(1)
      if (second === 100) report.step('alpha 1-1: built')
      report.line(`beta: ${second}`)
    }
    expect(told).to.deep.equal(['building alpha', 'beta: 60', 'alpha 1-1: built'])
  })
})
