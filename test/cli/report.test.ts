import { expect } from 'chai'
import { openReport } from '../../src/cli/report.js'

function open(isTTY: boolean, colours = false) {
  let text = ''
  let time = 0
  const stream = { isTTY, columns: 60, write: (chunk: string) => (text += chunk) }
  const report = openReport({ stream, colours, clock: () => time })
  return { report, text: () => text, pass: (milliseconds: number) => (time += milliseconds) }
}

describe('report', () => {
  it('draws a bar on a terminal, and takes it away before anything else is printed', () => {
    const { report, text, pass } = open(true)
    report.step('packing')
    report.progress(1, 4)
    pass(200)
    report.progress(2, 4)
    report.warn('careful')
    const [, first = '', second = '', last = ''] = text().split('\r')
    expect(first).to.match(/^ {4}\[######-+\] 25 % {2}packing$/)
    expect(second).to.equal('\u001b[K')
    expect(last).to.match(/^ {4}\[#{12}-+\] 50 % {2}packing$/)
    expect(text().endsWith('\r\u001b[Kwarning: careful\n')).to.equal(true)
  })

  it('prints a line every few seconds where there is no terminal', () => {
    const { report, text, pass } = open(false)
    report.step('packing')
    for (let done = 1; done < 100; done++) {
      pass(100)
      report.progress(done, 100)
    }
    expect(text()).to.equal('==> packing\n    packing: 50 %\n')
  })

  it('counts where the end is not known', () => {
    const { report, text, pass } = open(false)
    report.step('hashing')
    pass(6000)
    report.progress(120, 0)
    expect(text()).to.include('hashing: 120\n')
  })

  it('does not let a build steer the terminal', () => {
    const { report, text } = open(true)
    report.line('a\u001b[2J\u001b]0;owned\u0007b\u001b[31mc\rd\u009b1me\tf')
    expect(text()).to.equal('    abcd1me\tf\n')
  })

  it('uses colours only when it is told to', () => {
    const plain = open(true)
    plain.report.step('x')
    expect(plain.text()).to.equal('==> x\n')
    const colourful = open(true, true)
    colourful.report.step('x')
    expect(colourful.text()).to.include('\u001b[1m')
  })
})
