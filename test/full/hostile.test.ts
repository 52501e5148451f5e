// A few minutes of what test/hostile/run.ts does for as long as it is asked to: real nodes, real faults, by a plan that
// a seed decides. A failure prints the seed and what happened; `node test/hostile/run.ts --seed N` does it again.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Outcome } from '../hostile/campaign.ts'
import { whatIsMissing as whatComposeLacks } from '../hostile/compose.ts'
import { whatIsMissing } from '../hostile/namespaces.ts'
import { runProgram } from '../support/run-program.ts'

const program = fileURLToPath(new URL('../hostile/run.ts', import.meta.url))

test(
  'a network in namespaces stands minutes of faults: nothing lost, doubled, signed twice or leaked',
  {
    skip: whatIsMissing() ?? false,
  },
  (t) => runs(t, { ground: 'namespaces', minutes: 3, seed: 105 }),
)

test(
  'a network in containers stands the same',
  {
    skip: whatComposeLacks() ?? false,
  },
  (t) => runs(t, { ground: 'compose', minutes: 1, seed: 1670177611 }),
)

async function runs(
  t: TestContext,
  { ground, minutes, seed }: { ground: string; minutes: number; seed: number },
): Promise<void> {
  const args = ['--seed', String(seed), '--minutes', String(minutes), '--ground', ground]
  const { code, out, err } = await runProgram(t, process.execPath, [program, ...args])
  assert.equal(code, 0, `node test/hostile/run.ts ${args.join(' ')}\n${err}`)
  const { faults, leftOut, messages, blocks, statements } = JSON.parse(out) as Outcome
  const sum = Object.values(faults).reduce((total, count) => total + count, 0)
  t.diagnostic(
    `seed ${seed}: ${sum} faults, ${messages} messages, ${blocks} blocks, ${statements} signatures`,
  )
  for (const [kind, reason] of Object.entries(leftOut)) t.diagnostic(`left out: ${kind}: ${reason}`)
}
