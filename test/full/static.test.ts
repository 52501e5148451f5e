// What other programs say of the files that are theirs to read.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const env = { ...process.env, GENESIS_HOME: '/tmp' }

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  [
    'hadolint finds nothing to warn of in the Dockerfile',
    'hadolint',
    '--failure-threshold',
    'warning',
    'Dockerfile',
  ],
  ...['compose.yaml', 'bootstrap/compose.yaml'].flatMap(
    (file) =>
      [
        [`Compose accepts ${file}`, 'docker-compose', '-f', file, '--profile', '*', 'config', '--quiet'],
        [
          `${file} is as the specification of Compose has it`,
          'check-jsonschema',
          '--builtin-schema',
          'vendor.compose-spec',
          file,
        ],
      ] as const,
  ),
]

for (const [name, command, ...args] of checks) {
  const isThere = spawnSync(command, ['--version']).status === 0
  test(name, { skip: isThere ? false : `${command} is missing` }, () => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', env })
    assert.equal(status, 0, stdout + stderr)
  })
}
