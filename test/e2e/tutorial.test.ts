import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../support/local-network.ts'
import { runTutorial, tutorialBlocks } from '../support/tutorial.ts'

const scratch = mkdtempSync(join(tmpdir(), 'diseq-tutorial-'))
after(() => rmSync(scratch, { recursive: true }))
const built = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const main = existsSync(built) ? built : fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('the tutorial does what it says, command by command', { timeout: 300_000 }, async () => {
  const base = await freePorts(8)
  const said = runTutorial({
    folder: scratch,
    command: [process.execPath, main],
    baseHttpPort: base,
    baseP2pPort: base + 4,
  })
  assert.match(said, /^[0-9a-f]{64} \d+ \d+$/m)
  assert.match(said, /event: block/)
  assert.match(said, /all is right/)
})

test('the tutorial installs with what the checkout offers', () => {
  const install = tutorialBlocks().filter(({ kind }) => kind === 'install')
  assert.deepEqual(
    install.map(({ text }) => text),
    ['npm ci\n'],
  )
})
