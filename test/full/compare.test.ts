// `npm run bench:compare` as a user runs it, with what of its peers is installed here. It checks that the same work was done
// and counted, not how fast.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../support/run-program.ts'

const program = fileURLToPath(new URL('../../bench/compare.ts', import.meta.url))
const hasEtcd = spawnSync('etcd', ['--version']).status === 0

interface Comparison {
  readonly systems: readonly { readonly name: string }[]
  readonly leftOut: readonly string[]
  readonly turns: readonly {
    readonly figures: {
      readonly target: string
      readonly accepted: number
      readonly missing: number
      readonly doubled: number
      readonly finalPerSecond: number
      readonly latency: { readonly count: number }
    }
  }[]
  readonly ratios: readonly unknown[]
  readonly syncs: readonly {
    readonly target: string
    readonly blocks: number
    readonly messages: number
  }[]
}

test('the same messages go through DISEQ and etcd in turns, and a peer that is not there is named', {
  skip: hasEtcd ? false : 'the program etcd is missing',
}, async (t) => {
  const load = ['--rate', '50', '--group', '5', '--warm-up', '1', '--duration', '3', '--rounds', '1']
  const peers = ['--peers', 'etcd,nats', '--nats', '/nonexistent/nats-server']
  const args = [program, ...peers, ...load, '--sync', '60', '--json']
  const { code, out, err } = await runProgram(t, process.execPath, args)
  assert.equal(code, 0, err)
  const { systems, leftOut, turns, ratios, syncs } = JSON.parse(out) as Comparison
  assert.deepEqual(
    systems.map(({ name }) => name),
    ['diseq', 'etcd'],
  )
  assert.equal(leftOut.length, 1)
  assert.match(leftOut[0] ?? '', /^nats: .*\/nonexistent\/nats-server/)
  assert.deepEqual(
    turns.map(({ figures }) => figures.target),
    ['diseq', 'etcd'],
  )
  for (const { figures } of turns) {
    const { target, accepted, missing, doubled, finalPerSecond, latency } = figures
    assert.deepEqual({ missing, doubled }, { missing: 0, doubled: 0 }, target)
    // Some of the second of warm-up and of the three that count.
    assert.ok(
      accepted >= 50 && latency.count >= 20,
      `${target}: ${accepted} accepted, ${latency.count} timed`,
    )
    assert.ok(finalPerSecond > 0, target)
  }
  assert.ok(ratios.length > 0, 'nothing was compared')
  // etcd's members take over a snapshot instead.
  assert.deepEqual(
    syncs.map(({ target }) => target),
    ['diseq'],
  )
  const [own] = turns
  const [{ blocks, messages } = { blocks: 0, messages: 0 }] = syncs
  assert.ok(blocks > 0 && messages === own?.figures.accepted, `${messages} messages in ${blocks} blocks`)
})
