// Completion in the shells themselves, as far as they are installed; bash nearly always is.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { runCli } from '../../src/cli/program.ts'

/** What is typed, with the cursor at its end, and what must be offered. */
const typed: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['diseq st', ['start', 'status']],
  ['diseq signing im', ['import']],
  ['diseq signing import --fr', ['--from']],
  ['diseq send --node http://127.0.0.1:8080 --na', ['--namespace']],
  ['diseq debug d', ['dump']],
]

/** A script for each shell that prints, for each argument, what it offers, a line each. */
const askers: Readonly<Record<string, string>> = {
  bash: `
    source <(cat)
    for line in "$@"; do
      COMP_WORDS=($line) COMPREPLY=()
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _diseq
      echo "\${COMPREPLY[@]}"
    done`,
  fish: `
    cat | source
    for line in $argv
      string join -- ' ' (complete -C $line | string split -f 1 \\t)
    end`,
}

for (const [shell, script] of Object.entries(askers)) {
  const isThere = spawnSync(shell, ['--version']).status === 0
  test(`${shell} completes commands and options`, {
    skip: isThere ? false : `${shell} is missing`,
  }, async () => {
    const lines: string[] = []
    const code = await runCli(['completion', shell], {
      env: {},
      print: (line) => lines.push(line),
      note: assert.fail,
      progress: () => undefined,
      async *input() {},
      untilStopped: () => assert.fail(),
    })
    assert.equal(code, 0)
    const args = shell === 'bash' ? ['--norc', '-c', script, shell] : ['--no-config', '-c', script]
    const asked = typed.map(([line]) => line)
    const { stdout, stderr } = spawnSync(shell, [...args, ...asked], {
      input: lines.join('\n'),
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    const offered = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').sort())
    assert.deepEqual(
      offered,
      typed.map(([, words]) => words),
    )
  })
}
