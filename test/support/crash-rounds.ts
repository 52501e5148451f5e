// The hardest thing that can happen to a network short of losing its disks, over and over: every node killed at once in
// mid-load, and started again. Used with a few rounds by `npm test`, with many by `npm run test:full`.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { assertOneSequence, heightOf, isSettled } from './chains.ts'
import { startLoad } from './load.ts'
import { TestNetwork } from './processes.ts'
import type { Random } from './random.ts'
import { SignatureLedger } from './signature-ledger.ts'
import { WireListener } from './wire-listener.ts'

/** @throws where nodes disagree, anything accepted is lost or doubled, or anybody signed twice. */
export async function crashAllInMidLoad(t: TestContext, { rounds }: { rounds: number }): Promise<void> {
  const network = await TestNetwork.running(t)
  const ledger = new SignatureLedger()
  const listener = await WireListener.join(t, network, ledger)
  const load = startLoad(() => network.running)
  let acceptedBefore = 0
  for (let round = 0; round < rounds; round++) {
    const height = Math.max(...(await Promise.all(network.nodes.map(heightOf))))
    await network.until(`round ${round}: blocks are made and messages accepted`, async () => {
      const [first] = network.nodes
      return (
        first !== undefined &&
        load.accepted.size > acceptedBefore + 20 &&
        (await heightOf(first)) > height + 2
      )
    })
    // At another point of a height each time: between votes, writes and answers.
    await Promise.all(network.nodes.map((node) => node.kill()))
    for (const [index, { home }] of network.nodes.entries()) ledger.addRecordOf(home, index)
    assert.deepEqual(ledger.conflicts, [])
    acceptedBefore = load.accepted.size
    await network.start()
    const agreed = Math.max(...(await Promise.all(network.nodes.map(heightOf))))
    await network.until(`round ${round}: all go on`, async () => {
      const heights = await Promise.all(network.nodes.map(heightOf))
      return heights.every((reached) => reached > agreed)
    })
  }
  await load.stop()
  await network.until('nothing is pending', () => isSettled(network.nodes, 1), { timeoutMs: 120_000 })
  const blocks = await assertOneSequence(network.nodes, load.accepted)
  for (const [index, { home }] of network.nodes.entries()) ledger.addRecordOf(home, index)
  assert.deepEqual(ledger.conflicts, [])
  const heard = Object.entries(listener.counts).map(([kind, count]) => `${count} ${kind}`)
  t.diagnostic(`${rounds} crashes of all, ${load.accepted.size} messages accepted, ${blocks.length} blocks`)
  t.diagnostic(`the listener heard ${heard.join(', ')}; ${ledger.size} statements, no conflict`)
}

/** Kills some of the nodes, which ones and when by chance, over and over, now and then all; each time they are started
 *  again at once or later. @throws as above. */
export async function crashAtRandom(
  t: TestContext,
  { kills, random }: { kills: number; random: Random },
): Promise<void> {
  const network = await TestNetwork.running(t)
  const ledger = new SignatureLedger()
  await WireListener.join(t, network, ledger)
  const load = startLoad(() => network.running)
  const { nodes } = network
  for (let at = 0; at < kills; at++) {
    const victims = nodes.filter(({ isRunning }) => isRunning && random.chance(0.4))
    const target = load.accepted.size + random.below(30)
    if (network.running.length > 0)
      await network.until('more is accepted', () => load.accepted.size >= target)
    await Promise.all(victims.map((node) => node.kill()))
    for (const node of victims) ledger.addRecordOf(node.home, nodes.indexOf(node))
    assert.deepEqual(ledger.conflicts, [])
    const returning = nodes.filter(
      ({ isRunning }) => !isRunning && (random.chance(0.7) || network.running.length === 0),
    )
    await Promise.all(returning.map((node) => node.start()))
  }
  await Promise.all(nodes.filter(({ isRunning }) => !isRunning).map((node) => node.start()))
  const height = Math.max(...(await Promise.all(nodes.map(heightOf))))
  await network.until('all go on', async () =>
    (await Promise.all(nodes.map(heightOf))).every((at) => at > height),
  )
  await load.stop()
  await network.until('nothing is pending', () => isSettled(nodes, 1))
  const blocks = await assertOneSequence(nodes, load.accepted)
  for (const [index, { home }] of nodes.entries()) ledger.addRecordOf(home, index)
  assert.deepEqual(ledger.conflicts, [])
  t.diagnostic(
    `${kills} rounds, ${load.accepted.size} messages accepted, ${blocks.length} blocks, ${ledger.size} statements`,
  )
}
