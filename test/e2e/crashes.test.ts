// Nodes that die without warning, under load: one, two, and all of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertOneSequence,
  hasFinalized,
  hasListed,
  heightOf,
  isSettled,
  sighting,
} from '../support/chains.ts'
import { crashAllInMidLoad } from '../support/crash-rounds.ts'
import { startLoad } from '../support/load.ts'
import { TestNetwork } from '../support/processes.ts'
import { SignatureLedger } from '../support/signature-ledger.ts'
import { WireListener } from '../support/wire-listener.ts'

test('one validator of four killed: the rest go on; it comes back, catches up and votes. Two killed: no block until one is back', async (t) => {
  const network = await TestNetwork.running(t)
  const ledger = new SignatureLedger()
  await WireListener.join(t, network, ledger)
  const load = startLoad(() => network.running)
  const reaches = (index: number, height: number) => async () =>
    (await heightOf(network.node(index))) >= height
  await network.until('blocks are made', reaches(0, 3))

  for (const victim of network.nodes.keys()) {
    const other = (victim + 1) % network.nodes.length
    await network.node(victim).kill()
    const killedAt = await heightOf(network.node(other))
    await network.until(`the rest go on without node ${victim}`, reaches(other, killedAt + 5))

    await network.start([victim])
    const backAt = await heightOf(network.node(other))
    await network.until(`node ${victim} catches up`, reaches(victim, backAt))
    const witness = network.node(other)
    await network.until(`node ${victim} votes`, sighting(witness, backAt + 1, hasFinalized(victim)))
    await network.until(`node ${victim} lists`, sighting(witness, backAt + 1, hasListed(victim)))
  }

  await Promise.all([network.node(2).kill(), network.node(3).kill()])
  // What was under way may still get final: its finalization may have been on the wire.
  const heightsOfTwo = () => Promise.all([heightOf(network.node(0)), heightOf(network.node(1))])
  await network.until('messages wait at both', async () => {
    const before = load.accepted.size
    await network.until('more are accepted', () => load.accepted.size > before + 40)
    return true
  })
  const stuckAt = await heightsOfTwo()
  const before = load.accepted.size
  await network.until('a second of messages is accepted', () => load.accepted.size > before + 40)
  assert.deepEqual(await heightsOfTwo(), stuckAt, 'a block was made without a quorum')

  await network.node(3).start()
  await network.until('three go on', reaches(0, Math.max(...stuckAt) + 3))
  await network.start([2])
  await load.stop()
  await network.until('all have all', () => isSettled(network.nodes, 1))
  await assertOneSequence(network.nodes, load.accepted)
  for (const [index, { home }] of network.nodes.entries()) ledger.addRecordOf(home, index)
  assert.deepEqual(ledger.conflicts, [])
  t.diagnostic(`${load.accepted.size} messages accepted, none lost; ${ledger.size} statements, no conflict`)
})

test('all four killed at once in mid-load: after each start they agree and go on, nothing accepted is lost, nobody signs twice', async (t) => {
  await crashAllInMidLoad(t, { rounds: 3 })
})
