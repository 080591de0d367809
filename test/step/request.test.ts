import { expect } from 'chai'
import { TreeswapError } from '../../src/model/errors.js'
import { parseStepRequest } from '../../src/step/request.js'

const job = { schema: 1, job: 'treeswap/machines/database', number: '7' }

function refused(request: unknown): TreeswapError {
  try {
    parseStepRequest(typeof request === 'string' ? request : JSON.stringify(request))
  } catch (error) {
    if (error instanceof TreeswapError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('the request of a Jenkins step', () => {
  it('is taken as Groovy writes it: numbers as text, null for what nobody gave', () => {
    const build = { ...job, step: 'build', machine: 'database', repos: null, target: '@world', full: null }
    const request = parseStepRequest(JSON.stringify({ ...build, directory: 'profile', junit: null, config: null }))
    expect(request).to.deep.include({ number: 7, target: ['@world'], repos: undefined, config: undefined })
  })

  it('of another version is refused with the way out', () => {
    const error = refused({ ...job, schema: 2, step: 'report' })
    expect(error.code).to.equal('STEP_VERSION')
    expect(error.message).to.contain('version 2').and.to.contain('version 1')
    expect(error.hint).to.contain('TREESWAP_RUNNER')
  })

  const wrong: Record<string, [unknown, RegExp]> = {
    'an unknown step': [{ ...job, step: 'biuld' }, /no step "biuld": did you mean build\?/],
    'an unknown key': [{ ...job, step: 'report', tre: 'x' }, /the step report has no tre: did you mean tree\?/],
    'a key of another type': [{ ...job, step: 'snapshot', repo: 3, directory: 'repo' }, /^repo of the step snapshot: /],
    'no JSON': ['{', /no JSON object/],
    'a number below one': [{ ...job, number: '0', step: 'report' }, /^number of the step report/],
  }
  for (const [what, [request, message]] of Object.entries(wrong)) {
    it(`with ${what} is refused`, () => {
      const error = refused(request)
      expect(error.code).to.equal('STEP_REQUEST_INVALID')
      expect(error.message).to.match(message)
    })
  }
})
