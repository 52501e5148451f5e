// The test runner behind `npm test` and `npm run test:full`: fast stages first, stops at the first that fails, and
// ends with one line that counts all of them.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { currentNode, root, toolPath } from './paths.mjs'

const minuteMs = 60_000
const reporter = pathToFileURL(join(root, 'scripts', 'reporter.mjs')).href
const biome = toolPath('@biomejs', 'biome', 'bin', 'biome')
const tsc = toolPath('typescript', 'bin', 'tsc')

const checks = [
  { name: 'format', args: [biome, 'format'] },
  { name: 'lint', args: [biome, 'lint', '--error-on-warnings'] },
  { name: 'types', args: [tsc, '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'build', args: [join(root, 'scripts', 'build.mjs')] },
]
const quickSuites = [
  { name: 'unit', folder: 'test/unit', concurrency: 2, timeoutMs: 2 * minuteMs },
  { name: 'protocol', folder: 'test/protocol', concurrency: 2, timeoutMs: 2 * minuteMs },
  { name: 'contract', folder: 'test/contract', concurrency: 2, timeoutMs: 2 * minuteMs },
  { name: 'simulation', folder: 'test/simulation', concurrency: 2, timeoutMs: 5 * minuteMs },
  { name: 'e2e', folder: 'test/e2e', concurrency: 1, timeoutMs: 5 * minuteMs },
]
const fullSuites = [{ name: 'full', folder: 'test/full', concurrency: 1, timeoutMs: 30 * minuteMs }]

/** Runs the stages of `npm test` ('quick') or what it leaves out ('full'); returns the exit code. */
export async function runTests(extent) {
  const total = { passed: 0, failed: 0, skipped: [] }
  const stages = extent === 'quick' ? checks : checks.filter((check) => check.name === 'build')
  let isSound = await runChecks(stages)
  for (const suite of extent === 'quick' ? quickSuites : fullSuites) {
    if (!isSound) break
    isSound = await runSuite(suite, total)
  }
  if (isSound && total.passed === 0) {
    console.log('No test passed: there is nothing to go by.')
    isSound = false
  }
  // The last line counts tests; a check that failed is one more, so that the line never looks sound when it is not.
  if (!isSound && total.failed === 0) total.failed = 1
  for (const { name, reason } of total.skipped) console.log(`skipped: ${name}: ${reason}`)
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`)
  return isSound ? 0 : 1
}

async function runChecks(stages) {
  for (const { name, args } of stages) {
    const startedAt = performance.now()
    const { code, output } = await run(args, { isQuiet: true })
    report(name, code === 0 ? 'ok' : 'FAILED', startedAt)
    if (code === 0) continue
    process.stdout.write(output)
    return false
  }
  return true
}

async function runSuite({ name, folder, concurrency, timeoutMs }, total) {
  const files = testFilesIn(folder)
  if (files.length === 0) return true
  const startedAt = performance.now()
  const scratch = mkdtempSync(join(tmpdir(), 'diseq-test-'))
  const summaryPath = join(scratch, 'summary.json')
  const args = ['--test', `--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs}`]
  args.push(`--test-reporter=${reporter}`, '--test-reporter-destination=stdout', ...files)
  const { code } = await run(args, { env: { TEST_SUMMARY_FILE: summaryPath } })
  const summary = existsSync(summaryPath)
    ? JSON.parse(readFileSync(summaryPath, 'utf8'))
    : { passed: 0, failed: 1, skipped: [] }
  rmSync(scratch, { recursive: true })
  if (code !== 0 && summary.failed === 0) summary.failed = 1

  total.passed += summary.passed
  total.failed += summary.failed
  total.skipped.push(...summary.skipped)
  const counts = `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped.length} skipped`
  report(name, counts, startedAt)
  return summary.failed === 0
}

function testFilesIn(folder) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** Runs Node with these arguments in the checkout, without input. */
function run(args, { isQuiet = false, env = {} }) {
  return new Promise((resolve) => {
    const stdio = ['ignore', isQuiet ? 'pipe' : 'inherit', isQuiet ? 'pipe' : 'inherit']
    // A variable of the outer shell must not decide how a test's node is configured.
    const outer = Object.entries(process.env).filter(
      ([key]) => !key.startsWith('DISEQ_') && key !== 'NODE_TEST_CONTEXT',
    )
    const child = spawn(currentNode(), args, {
      cwd: root,
      stdio,
      env: { ...Object.fromEntries(outer), ...env },
    })
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
    })
    child.stderr?.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ code: 1, output: `${error.message}\n` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

function report(name, outcome, startedAt) {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${name.padEnd(11)} ${outcome} (${seconds} s)`)
}
