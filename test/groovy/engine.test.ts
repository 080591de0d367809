import { expect } from 'chai'
import { join } from 'node:path'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { runPipeline } from './run-pipeline.js'
import type { Pipeline, PipelineResult, Watch } from './run-pipeline.js'

describe('the engine that pipelines are tested with', function () {
  this.timeout(120_000)
  const directory = temporaryDirectory()

  function run(script: string, more: Partial<Pipeline> = {}, watch: Watch = {}): Promise<PipelineResult> {
    const agents = { any: { workspace: join(directory(), 'workspace') } }
    const library = join(directory(), 'library')
    return runPipeline(directory(), { script, job: 'folder/job', number: 7, agents, library, ...more }, watch)
  }

  it('saves and resumes the program at every step, in loops, closures and library variables', async () => {
    writeFiles(join(directory(), 'library/vars'), {
      'shout.groovy':
        'def call(Map options) { options.words.each { sh(/echo ${upper(it)}/) } }\n@NonCPS String upper(String word) { word.toUpperCase() }',
    })
    const { result, console, steps, saves } = await run(`@Library('x') _
      node('any') {
        def seen = [:]
        for (name in ['a', 'b']) { sh "echo \${name}"; seen[name] = env.BUILD_NUMBER }
        seen.each { key, value -> echo "\${key}=\${value}" }
        shout words: ['one', 'two']
      }`)
    expect(result).to.equal('SUCCESS')
    expect(console).to.include.members(['a', 'b', 'a=7', 'b=7', 'ONE', 'TWO'])
    expect(steps).to.deep.equal(['node', 'sh', 'sh', 'echo', 'echo', 'sh', 'sh'])
    expect(saves).to.equal(7)
  })

  const bad = {
    'a Matcher that is kept across a step': [
      "def m = ('abc' =~ /b/); sh 'true'; echo m.find().toString()",
      /NotSerializable.*Matcher/,
    ],
    "JsonSlurper's map kept across a step": [
      `def m = new groovy.json.JsonSlurper().parseText('{"a":1}'); sh 'true'; echo m.a.toString()`,
      /NotSerializable.*LazyMap/,
    ],
    'a step in @NonCPS': ['all([1, 2])', /expected to call all but wound up catching sh/],
    'a closure for toSorted': ['echo([3, 1, 2].toSorted { a, b -> a <=> b }.toString())', /wound up catching call/],
  } as const
  for (const [what, [script, error]] of Object.entries(bad)) {
    it(`fails a script with ${what}`, async () => {
      const result = await run(`node('any') { ${script} }\n@NonCPS def all(list) { list.each { sh "echo \${it}" } }`)
      expect(result.result).to.equal('FAILURE')
      expect(result.error).to.match(error)
    })
  }

  it('stops a step at its time limit, with all that it started, and runs what is in finally', async () => {
    const { result, console } = await run(`node('any') {
      try { timeout(time: 1, unit: 'SECONDS') { sh 'sleep 1000 & sleep 1000' } } finally { echo 'at last' }
      echo 'never'
    }`)
    expect(result).to.equal('ABORTED')
    expect(console).to.include('at last').and.not.to.include('never')
  })

  it('aborts a build, and kills after five seconds what does not listen', async () => {
    const started = Date.now()
    const watch: Watch = {
      onLine: (line, abort) => {
        if (line === 'deaf') abort()
      },
    }
    const { result, console } = await run(
      `node('any') { sh 'trap "" TERM; echo deaf; while :; do sleep 1; done' }`,
      {},
      watch,
    )
    expect(result).to.equal('ABORTED')
    expect(console).to.include('After 5s process did not stop')
    expect(Date.now() - started).to.be.greaterThan(5000)
  })

  it('binds credentials, and masks them', async () => {
    const { console } = await run(
      `node('any') { withCredentials([usernamePassword(credentialsId: 'id', usernameVariable: 'U', passwordVariable: 'P')]) { sh 'echo "$U has $P"; echo "$P" > password' }; sh 'wc -c < password; echo "(\${P-})"' }`,
      { credentials: { id: { username: 'reader', password: 'secret-token' } } },
    )
    expect(console).to.include.members(['reader has ****', '13', '()'])
    expect(console.join('\n')).not.to.contain('secret-token')
  })

  it('knows no step of a plugin that is not there', async () => {
    expect((await run("node('any') { junit 'x.xml' }")).error).to.contain("No such DSL method 'junit'")
  })
})
