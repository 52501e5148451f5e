// Networks other than four equal validators: one alone, many of unequal power, and the crash fault model.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOneSequence, blocksOf, heightOf, isSettled } from '../support/chains.ts'
import { startLoad } from '../support/load.ts'
import { TestNetwork } from '../support/processes.ts'

test('a validator alone is a network, and goes on where it was after a crash', async (t) => {
  const network = await TestNetwork.running(t, { powers: [1] })
  const node = network.node(0)
  const load = startLoad(() => network.running)
  await network.until('blocks are made', async () => (await heightOf(node)) >= 5)
  await node.kill()
  await network.start()
  const height = await heightOf(node)
  await network.until('it goes on', async () => (await heightOf(node)) > height + 3)
  await load.stop()
  await network.until('nothing is pending', () => isSettled(network.nodes, 1))
  await assertOneSequence(network.nodes, load.accepted)
})

test('seven validators of unequal power: the lightest may all be away, the heaviest may not', async (t) => {
  // 16 in all: f = 5, a quorum is 11.
  const network = await TestNetwork.running(t, { powers: [6, 4, 2, 1, 1, 1, 1] })
  const load = startLoad(() => network.running, { perSecond: 20 })
  const [heaviest] = network.nodes
  assert.ok(heaviest)
  await network.until('blocks are made', async () => (await heightOf(heaviest)) >= 3)

  await Promise.all([3, 4, 5, 6].map((index) => network.node(index).kill()))
  const height = await heightOf(heaviest)
  await network.until('12 of 16 go on', async () => (await heightOf(heaviest)) >= height + 3)
  for (const { finalization } of await blocksOf(heaviest, height + 2)) {
    assert.deepEqual(
      finalization.signatures.map(({ validator }) => validator),
      [0, 1, 2],
    )
  }

  await network.node(2).kill()
  const accepted = load.accepted.size
  await network.until('messages wait', () => load.accepted.size > accepted + 20)
  const stuckAt = await heightOf(heaviest)
  await network.until('more wait', () => load.accepted.size > accepted + 40)
  assert.equal(await heightOf(heaviest), stuckAt, '10 of 16 are no quorum')
  await network.start([2, 3, 4, 5, 6])
  await network.until('all go on', async () => (await heightOf(heaviest)) > stuckAt + 2)
  await load.stop()
  await network.until('all have all', () => isSettled(network.nodes, 1))
  await assertOneSequence(network.nodes, load.accepted)
})

test('three validators under the crash model go on with two', async (t) => {
  const network = await TestNetwork.running(t, { powers: [1, 1, 1], faultModel: 'crash' })
  const load = startLoad(() => network.running)
  const first = network.node(0)
  await network.until('blocks are made', async () => (await heightOf(first)) >= 3)
  await network.node(1).kill()
  const height = await heightOf(first)
  await network.until('two go on', async () => (await heightOf(first)) >= height + 5)
  await network.start([1])
  await load.stop()
  await network.until('all have all', () => isSettled(network.nodes, 1))
  await assertOneSequence(network.nodes, load.accepted)
})
