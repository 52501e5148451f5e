import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commandReference, configurationReference } from '../../../src/cli/reference.ts'

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

test('the reference of the command line is that of the program (npm run examples)', () => {
  assert.equal(page('cli.md'), commandReference())
})

test('the reference of the configuration is that of the options (npm run examples)', () => {
  assert.equal(page('configuration.md'), configurationReference())
})
