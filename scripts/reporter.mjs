// A reporter for node:test: shows failures in full and nothing of what passed, and writes counts and the reasons of
// what was skipped as JSON to the file named by TEST_SUMMARY_FILE.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { inspect } from 'node:util'

export default async function* report(events) {
  const summary = { passed: 0, failed: 0, skipped: [] }
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message
    if (type !== 'test:pass' && type !== 'test:fail') continue
    if (data.skip !== undefined && data.skip !== false) {
      const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given'
      summary.skipped.push({ name: data.name, reason })
    } else if (isContainer(data)) {
      // What it holds was counted.
    } else if (type === 'test:pass') {
      summary.passed += 1
    } else {
      summary.failed += 1
      yield describeFailure(data)
    }
  }
  const path = process.env.TEST_SUMMARY_FILE
  if (path !== undefined) writeFileSync(path, JSON.stringify(summary))
}

/** Suites, parents that fail only because a test in them failed, and files that hold tests are no tests. */
function isContainer({ name, file, details, nesting }) {
  if (details.type === 'suite') return true
  if (details.error?.failureType === 'subtestsFailed') return true
  return nesting === 0 && details.error === undefined && file?.endsWith(name) === true
}

function describeFailure({ name, file, line, details }) {
  const place = file === undefined ? '' : ` (${relative(process.cwd(), file)}:${line})`
  const error = details.error?.cause ?? details.error
  return `\nFAILED ${name}${place}\n${inspect(error, { colors: process.stdout.isTTY })}\n\n`
}
