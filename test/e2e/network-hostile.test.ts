import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { encodeFrame } from '../../src/codec/index.ts'
import { sha256 } from '../../src/crypto/native/index.ts'
import { gossipOptions, topicOf } from '../../src/network/gossip-options.ts'
import { createNode, type Libp2pNode } from '../../src/network/libp2p.ts'
import { sendRecord } from '../../src/network/streams.ts'
import { aChain, flipped, seedOf } from '../unit/network/signed-frames.ts'
import { aNode, isFullMesh, startedNodes, stopAll, type TestNode, until } from './network-nodes.ts'

const chain = aChain()
let nodes: TestNode[] = []

before(async () => {
  nodes = await startedNodes(chain, 3)
  await until('three nodes are connected', () => isFullMesh(nodes), { nodes })
})

after(() => stopAll(nodes))

function victim(): TestNode {
  const [node] = nodes
  assert.ok(node)
  return node
}

/** A libp2p node under nobody's rules. */
async function aStranger(index: number): Promise<Libp2pNode> {
  const node = await createNode({
    identitySeed: seedOf(index, 9),
    listen: [],
    announce: [],
    maxConnections: 10,
    pingIntervalMs: 10_000,
    gossip: gossipOptions({ chainId: chain.genesis.chainId, sha256, pointsOf: () => 0 }),
    gater: {},
  })
  await node.start()
  for (const channel of ['messages', 'commitments'] as const)
    node.services.pubsub.subscribe(topicOf(chain.genesis.chainId, channel))
  return node
}

function addressOf({ network }: TestNode) {
  const [address] = network.addresses()
  assert.ok(address)
  return multiaddr(address)
}

function invalidCountOf(stranger: Libp2pNode): number | undefined {
  const infos = victim().network.peers()
  return infos.find(({ peer }) => peer === stranger.peerId.toString())?.invalidCount
}

async function cutOff(stranger: Libp2pNode): Promise<void> {
  await until('it is cut off', () => stranger.getConnections().length === 0, { nodes, timeoutMs: 5_000 })
}

async function assertUnharmed(text: string): Promise<void> {
  assert.ok(isFullMesh(nodes))
  const batch = chain.batch({ author: 1, text })
  nodes[1]?.network.publish({ kind: 'batch', batch })
  const arrived = ({ handler }: TestNode) =>
    handler.frames.some(({ frame }) => frame.kind === 'batch' && frame.batch.id === batch.id)
  await until('honest frames arrive', () => arrived(victim()) && nodes.slice(2).every(arrived), { nodes })
}

test('a peer that gossips garbage is cut off and refused; the others are unharmed and got none of it', async () => {
  const stranger = await aStranger(1)
  try {
    await stranger.dial(addressOf(victim()))
    const topic = topicOf(chain.genesis.chainId, 'messages')
    const { pubsub } = stranger.services
    await until('it is in the mesh', () => pubsub.getSubscribers(topic).length > 0, { nodes })
    for (let index = 0; index < 30; index++) {
      const frame = encodeFrame({ kind: 'batch', batch: chain.batch({ text: `garbage ${index}` }) })
      await pubsub.publish(topic, flipped(frame, frame.length - 1))
    }
    await cutOff(stranger)
    assert.equal(victim().network.counters().peers_cut_off, 1)
    await assert.rejects(async () => {
      await stranger.dial(addressOf(victim()))
      await until('the door is shut', () => stranger.getConnections().length === 0, { timeoutMs: 1_000 })
      throw new Error('let in and put out')
    })
    for (const { network } of nodes.slice(1))
      assert.equal(network.counters()['rejected_bad-signature'] ?? 0, 0)
    await assertUnharmed('after garbage')
  } finally {
    await stranger.stop()
  }
})

test('frames on the wrong topic count as garbage', async () => {
  const stranger = await aStranger(2)
  try {
    await stranger.dial(addressOf(victim()))
    const topic = topicOf(chain.genesis.chainId, 'commitments')
    const { pubsub } = stranger.services
    await until('it is in the mesh', () => pubsub.getSubscribers(topic).length > 0, { nodes })
    for (let index = 0; index < 12; index++) {
      const frame = encodeFrame({ kind: 'batch', batch: chain.batch({ text: `misplaced ${index}` }) })
      await pubsub.publish(topic, frame)
    }
    await cutOff(stranger)
    assert.ok((victim().network.counters()['rejected_wrong-channel'] ?? 0) >= 10)
    await assertUnharmed('after misplaced frames')
  } finally {
    await stranger.stop()
  }
})

test('garbage on a direct stream and in requests is counted the same way', async () => {
  const stranger = await aStranger(3)
  try {
    const connection = await stranger.dial(addressOf(victim()))
    const stream = await connection.newStream(`/diseq/${chain.genesis.chainId}/direct/1`)
    for (let index = 0; index < 9; index++) sendRecord(stream, Uint8Array.of(1, 2, 3, index))
    await until('nine are counted', () => invalidCountOf(stranger) === 9, { nodes })
    assert.equal(stranger.getConnections().length, 1, 'nine are not yet too many')
    const request = await connection.newStream(`/diseq/${chain.genesis.chainId}/view/1`)
    sendRecord(request, Uint8Array.of(9))
    await cutOff(stranger)
    assert.equal(victim().network.counters().peers_cut_off, 3)
    await assertUnharmed('after garbage requests')
  } finally {
    await stranger.stop()
  }
})

test('a peer of another genesis is sent away with a reason in the log', async () => {
  const other = aChain({ salt: 1 })
  const stranger = aNode(other, 3, { bootstrap: victim().network.addresses() })
  try {
    await stranger.network.start()
    const isLogged = ({ handler }: TestNode) => handler.lines.some((line) => line.includes('another genesis'))
    await until('both sides know why', () => isLogged(victim()) && isLogged(stranger), { nodes })
    await until('they part', () => stranger.network.peers().length === 0, { nodes })
    assert.equal(stranger.handler.frames.length, 0)
    assert.ok(!victim().network.chainPeers().includes(stranger.network.peerId))
    await assertUnharmed('after another genesis')
  } finally {
    await stranger.network.stop()
  }
})

test('a peer that speaks none of the protocols does not stay', async () => {
  const otherChain = aChain({ chainId: 'elsewhere' })
  const stranger = aNode(otherChain, 3, { bootstrap: victim().network.addresses() })
  try {
    await stranger.network.start()
    await until('they meet', () => stranger.network.peers().length === 1, { nodes })
    await until('they part', () => stranger.network.peers().length === 0, { nodes, timeoutMs: 8_000 })
    await assertUnharmed('after a stranger')
  } finally {
    await stranger.network.stop()
  }
})
