// Nodes that come late, with genesis and one address, and networks whose meeting point died.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertOneSequence,
  type BlockSummary,
  blocksOf,
  hasFinalized,
  heightOf,
  isSettled,
  sighting,
  statusOf,
} from '../support/chains.ts'
import { startLoad } from '../support/load.ts'
import { type NodeProcess, TestNetwork } from '../support/processes.ts'

interface Peers {
  readonly peers: readonly { readonly peerId: string; readonly validator: number | null }[]
}

async function validatorsKnownTo(node: NodeProcess): Promise<number[]> {
  const { peers } = await node.json<Peers>('/v1/peers')
  return peers.flatMap(({ validator }) => validator ?? []).sort()
}

test('a node that is no validator joins through one address, learns the others, syncs and follows; messages sent to it become final', async (t) => {
  const network = await TestNetwork.running(t)
  const load = startLoad(() => network.running)
  // Long enough for its blocks to be verified on a second thread.
  await network.until('there is a chain to sync', async () => (await heightOf(network.node(0))) >= 70)

  const follower = await network.addFollower(network.node(2))
  await follower.start()
  await network.until('it knows all validators', async () => (await validatorsKnownTo(follower)).length === 4)
  const height = await heightOf(network.node(0))
  await network.until('it has caught up', async () => (await heightOf(follower)) >= height)
  await network.until('it follows', async () => (await heightOf(follower)) >= height + 5)
  await load.stop()

  const { status, text } = await follower.post('/v1/messages?wait=final', { data: 'Zm9sbG93ZXI=' })
  assert.equal(status, 200, text)
  await network.until('all have all', () => isSettled(network.nodes, 1))
  await assertOneSequence(network.nodes, load.accepted)
  const { validator } = await statusOf(follower)
  assert.equal(validator, null)
  assert.ok((await blocksOf(follower)).every(({ commitments }) => commitments.length >= 3))

  // The last block is told from memory, all others from disk.
  const tip = await heightOf(follower)
  const last = await follower.json(`/v1/blocks/${tip}`)
  assert.equal((await follower.post('/v1/messages?wait=final', { data: 'b25lIG1vcmU=' })).status, 200)
  assert.ok((await heightOf(follower)) > tip)
  assert.deepEqual(await follower.json(`/v1/blocks/${tip}`), last)
})

test('a validator that starts long after the rest, with one address, syncs, votes and leads', async (t) => {
  // Nobody is told of the last one; it is told of one.
  const network = await TestNetwork.make(t, { bootstrap: (index) => (index === 0 ? [] : [0]) })
  await network.start([0, 1, 2])
  const load = startLoad(() => network.running)
  await network.until('three make blocks', async () => (await heightOf(network.node(0))) >= 20)

  const joinedAt = await heightOf(network.node(0))
  await network.start([3])
  assert.ok((await heightOf(network.node(3))) >= joinedAt - 1, 'ready before it had the chain')
  const startedAt = await heightOf(network.node(0))
  await network.until('it has caught up', async () => (await heightOf(network.node(3))) >= startedAt)
  await network.until('it votes', sighting(network.node(0), startedAt + 1, hasFinalized(3)))
  const isLedBy3 = ({ header }: BlockSummary) => header.leader === 3
  await network.until('it leads', sighting(network.node(0), startedAt + 1, isLedBy3))
  assert.deepEqual(await validatorsKnownTo(network.node(3)), [0, 1, 2])
  await load.stop()
  await network.until('all have all', () => isSettled(network.nodes, 1))
  await assertOneSequence(network.nodes, load.accepted)
})

test('a network whose only meeting point is gone forms again after restarts, from what its nodes remember', async (t) => {
  const network = await TestNetwork.make(t, { bootstrap: (index) => (index === 0 ? [] : [0]) })
  await network.start()
  await network.until('everybody knows everybody', async () => {
    const known = await Promise.all(network.nodes.map(validatorsKnownTo))
    return known.every(({ length }) => length === 3)
  })

  await network.node(0).kill()
  await Promise.all([1, 2].map((index) => network.node(index).stop()))
  await network.start([1, 2])
  const load = startLoad(() => network.running)
  await network.until('three without it make blocks', async () => (await heightOf(network.node(1))) >= 3)
  await load.stop()
  const rest = network.nodes.slice(1)
  await network.until('all of them have all', () => isSettled(rest, 1))
  await assertOneSequence(rest, load.accepted)
})
