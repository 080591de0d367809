import { Builder } from 'xml2js'

/** What became of a package, or of a recipe. */
export type TestCase = { /** CATEGORY/PF, or pkgbase */ name: string } & (
  | { status: 'compiled'; /** that it took */ seconds?: number }
  /** installed from a binary package of an earlier build */
  | { status: 'reused' }
  /** not built, or not taken, because of another one */
  | { status: 'skipped'; reason: string }
  | { status: 'failed'; code: string; message: string; hint: string; /** end of the log */ output: string }
)

/** What XML 1.0 has no place for, not even escaped: control characters, lone halves of surrogate pairs. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/**
 * A report in the format of JUnit's Ant task, as far as Jenkins' junit step reads it: a suite with a case per package
 * or recipe.
 * Reused packages are cases without a time.
 */
export function junitXml(suite: string, cases: readonly TestCase[]): string {
  const builder = new Builder({ xmldec: { version: '1.0', encoding: 'UTF-8' } })
  return `${builder.buildObject({
    testsuite: {
      $: {
        name: clean(suite),
        tests: cases.length,
        failures: cases.filter(({ status }) => status === 'failed').length,
        errors: 0,
        skipped: cases.filter(({ status }) => status === 'skipped').length,
      },
      testcase: cases.map((one) => caseOf(suite, one)),
    },
  })}\n`
}

function caseOf(suite: string, one: TestCase): object {
  const [category = '', pf] = one.name.split('/')
  const classname = pf === undefined ? suite : `${suite}.${category}`
  const $ = { classname: clean(classname), name: clean(pf ?? one.name) }
  if (one.status === 'compiled')
    return { $: { ...$, ...(one.seconds !== undefined && { time: one.seconds.toFixed(3) }) } }
  if (one.status === 'reused')
    return { $, 'system-out': 'reused: installed from the binary package of an earlier build' }
  if (one.status === 'skipped') return { $, skipped: { $: { message: clean(one.reason) } } }
  const { code, message, hint, output } = one
  return { $, failure: { $: { type: code, message: clean(message) }, _: clean(`${message}\n${hint}\n\n${output}`) } }
}

function clean(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd')
}
