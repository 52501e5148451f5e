import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { nodeArguments, nodeEnvironment } from '../../../src/cli/node-process.ts'

test("a node's process is this program's, with flags that Node takes", () => {
  const args = nodeArguments('/some/home', ['--cpu-prof'])
  const main = args.findIndex((arg) => existsSync(arg))
  assert.deepEqual(args.slice(main + 1), ['start', '--home', '/some/home', '--log-format', 'json'])
  assert.ok(args.slice(0, main).includes('--cpu-prof'))
  const flags = args.slice(0, main).filter((flag) => flag !== '--cpu-prof')
  const print = "console.log(require('v8').getHeapStatistics().heap_size_limit > 0)"
  const { status, stdout } = spawnSync(process.execPath, [...flags, '-e', print], { encoding: 'utf8' })
  assert.deepEqual([status, stdout], [0, 'true\n'])
})

test("what the operator has set in the environment is the node's", () => {
  assert.equal(nodeEnvironment({})['MALLOC_ARENA_MAX'], '1')
  assert.deepEqual(nodeEnvironment({ MALLOC_ARENA_MAX: '4', A: 'b' }), { MALLOC_ARENA_MAX: '4', A: 'b' })
})
