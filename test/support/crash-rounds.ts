// The hardest thing that can happen to a network short of losing its disks, over and over: every node killed at once in
// mid-load, and started again. Used with a few rounds by `npm test`, with many by `npm run test:full`.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { assertOneSequence, heightOf, isSettled } from './chains.ts'
import { startLoad } from './load.ts'
import { TestNetwork } from './processes.ts'
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
