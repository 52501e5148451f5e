import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { aBlockId, aChain } from '../unit/network/signed-frames.ts'
import { aNode, isFullMesh, startedNodes, stopAll, type TestNode, until } from './network-nodes.ts'

const chain = aChain()
let nodes: TestNode[] = []

before(async () => {
  nodes = await startedNodes(chain, 4)
  await until('four nodes that knew one address are all connected', () => isFullMesh(nodes), { nodes })
})

after(() => stopAll(nodes))

function received(node: TestNode | undefined, kind: string): number {
  return node?.handler.frames.filter(({ frame }) => frame.kind === kind).length ?? 0
}

function nodeAt(index: number): TestNode {
  const node = nodes[index]
  assert.ok(node)
  return node
}

test('a batch published at one node arrives once at all others', async () => {
  const others = nodes.slice(1)
  await until('direct streams are open', () => {
    const before = nodeAt(0).network.counters().direct_out ?? 0
    nodeAt(0).network.publish({
      kind: 'vote',
      vote: chain.vote({ kind: 'nullify', height: 1, view: 899 }, 0),
    })
    return (nodeAt(0).network.counters().direct_out ?? 0) === before + 3
  })
  nodeAt(0).network.publish({ kind: 'batch', batch: chain.batch({ text: 'to all' }) })
  await until('the batch is everywhere', () => others.every((node) => received(node, 'batch') === 1), {
    nodes,
  })
  assert.equal(received(nodes[0], 'batch'), 0, 'not at its author')
})

test('a large batch arrives by gossip alone', async () => {
  const batch = chain.batch({ text: 'large', sizeBytes: 200 * 1024 })
  const before = nodeAt(0).network.counters().direct_out ?? 0
  nodeAt(0).network.publish({ kind: 'batch', batch })
  const arrived = ({ handler }: TestNode) =>
    handler.frames.some(({ frame }) => frame.kind === 'batch' && frame.batch.id === batch.id)
  await until('the large batch is everywhere', () => nodes.slice(1).every(arrived), { nodes })
  assert.equal(nodeAt(0).network.counters().direct_out ?? 0, before)
})

test('a node that only follows gets batches by gossip, through the one node it knows', async () => {
  const follower = aNode(chain, 4, {
    identitySeed: new Uint8Array(32).fill(77),
    bootstrap: nodeAt(1).network.addresses(),
  })
  await follower.network.start()
  try {
    await until('it is known', () => follower.network.chainPeers().length > 0, { nodes })
    const arrived = (text: string) => {
      const batch = chain.batch({ text })
      nodeAt(0).network.publish({ kind: 'batch', batch })
      return () =>
        follower.handler.frames.some(({ frame }) => frame.kind === 'batch' && frame.batch.id === batch.id)
    }
    let turn = 0
    let isThere = arrived('to a follower')
    // Gossip's streams open some time after the connection: what was sent before is lost to it.
    await until('a batch came', () => {
      turn += 1
      if (turn % 50 === 0) isThere = arrived(`to a follower ${turn}`)
      return isThere()
    })
  } finally {
    await follower.network.stop()
  }
  await until('it is gone', () => isFullMesh(nodes), { nodes })
})

test('every kind of frame that gossip carries arrives verified', async () => {
  const frames = chain.everyFrame().filter(({ kind }) => kind !== 'block')
  for (const frame of frames) nodeAt(1).network.publish(frame)
  const kinds = new Set(frames.map(({ kind }) => kind))
  await until(
    'all kinds are at all others',
    () => [0, 2, 3].every((index) => [...kinds].every((kind) => received(nodes[index], kind) >= 1)),
    { nodes },
  )
})

test('publishing the same frame again, or a block, harms nobody', () => {
  const frame = { kind: 'batch', batch: chain.batch({ text: 'again' }) } as const
  for (const _ of [1, 2, 3]) nodeAt(2).network.publish(frame)
  assert.throws(() => nodeAt(2).network.publish({ kind: 'block', block: chain.block() }))
})

test('a direct stream brings a vote sooner than gossip does', async () => {
  const sender = nodeAt(0)
  await until('direct streams are open', () => {
    const before = sender.network.counters().direct_out ?? 0
    sender.network.publish({ kind: 'vote', vote: chain.vote({ kind: 'nullify', height: 1, view: 900 }, 0) })
    return (sender.network.counters().direct_out ?? 0) === before + 3
  })
  const receiver = nodeAt(3)
  const again = () => receiver.network.counters().frames_in_again ?? 0
  const firstByDirect = () => receiver.network.counters().first_by_direct ?? 0
  const before = firstByDirect()
  for (let view = 1; view <= 10; view++) {
    const seenAgain = again()
    const vote = chain.vote({ kind: 'nullify', height: 1, view }, 0)
    sender.network.publish({ kind: 'vote', vote })
    await until(`vote ${view}`, () =>
      receiver.handler.frames.some(({ frame }) => frame.kind === 'vote' && frame.vote.view === view),
    )
    await until('the other road brings a copy', () => again() > seenAgain)
  }
  assert.ok(
    firstByDirect() - before >= 8,
    `${firstByDirect() - before} of 10 came by the direct stream first`,
  )
})

test('votes of past heights are not handed on; votes far ahead report that one is behind', async () => {
  const receiver = nodeAt(2)
  receiver.handler.final = 5
  const vote = (height: number) =>
    nodeAt(0).network.publish({
      kind: 'vote',
      vote: chain.vote({ kind: 'finalize', height, view: 0, blockId: aBlockId }, 0),
    })
  for (const height of [5, 6, 7, 8, 40]) vote(height)
  await until('it hears that it is behind', () => receiver.handler.ahead.includes(40), { nodes })
  await until('votes of the window arrived', () => {
    const heights = receiver.handler.frames.flatMap(({ frame }) =>
      frame.kind === 'vote' && frame.vote.kind === 'finalize' ? frame.vote.height : [],
    )
    return heights.includes(6) && heights.includes(7)
  })
  const heights = receiver.handler.frames.flatMap(({ frame }) =>
    frame.kind === 'vote' && frame.vote.kind === 'finalize' ? frame.vote.height : [],
  )
  assert.ok(!heights.includes(5) && !heights.includes(8) && !heights.includes(40))
  assert.equal(
    receiver.network.peers().every(({ invalidCount }) => invalidCount === 0),
    true,
  )
  receiver.handler.final = 0
})

test('the others find a node again that was restarted at another port', async () => {
  const old = nodeAt(3)
  await old.network.stop()
  await until('it is gone', () => nodes.slice(0, 3).every(({ network }) => network.chainPeers().length === 2))
  const restarted = aNode(chain, 3, { handler: old.handler })
  nodes[3] = restarted
  await restarted.network.start()
  await until('it is back by the addresses it had saved', () => isFullMesh(nodes), { nodes })

  const batch = chain.batch({ author: 3, text: 'after restart' })
  restarted.network.publish({ kind: 'batch', batch })
  const arrived = ({ handler }: TestNode) =>
    handler.frames.some(({ frame }) => frame.kind === 'batch' && frame.batch.id === batch.id)
  await until('its batch arrives', () => nodes.slice(0, 3).every(arrived), { nodes })
})

test('a node that cannot listen says so, and can be started later', async () => {
  const [taken] = nodeAt(0).network.addresses()
  assert.ok(taken)
  const late = aNode(aChain({ count: 5 }), 4, { listen: [taken.replace(/\/p2p\/.*/, '')] })
  await assert.rejects(late.network.start())
  assert.deepEqual(late.network.addresses(), [])
  await nodeAt(0).network.stop()
  await late.network.start()
  assert.equal(late.network.addresses().length, 1)
  await late.network.stop()
})

test('the network forms anew after the bootstrap node is gone', async () => {
  await nodeAt(1).network.stop()
  const again = aNode(chain, 1, { handler: nodeAt(1).handler })
  nodes = [again, nodeAt(2), nodeAt(3)]
  await again.network.start()
  await until('three of four are connected', () => isFullMesh(nodes), { nodes })
  const infos = again.network.peers()
  assert.deepEqual(new Set(infos.map(({ validator }) => validator)), new Set([2, 3]))
  assert.ok(infos.every(({ addresses }) => addresses.length > 0))
  await until('it knows how far they are', () =>
    again.network.peers().every(({ latencyMs }) => latencyMs !== undefined),
  )
})

test('a peer that tells its status by asking is not asked for it', async () => {
  const chain = aChain()
  const quiet = aNode(chain, 0, { settings: { statusIntervalMs: 2_000 } })
  await quiet.network.start()
  const bootstrap = quiet.network.addresses()
  const talker = aNode(chain, 1, { bootstrap, settings: { statusIntervalMs: 50 } })
  await talker.network.start()
  const asked = ({ network }: TestNode) => network.counters().requests_out_status ?? 0
  try {
    await until('one has asked often', () => asked(talker) >= 100, {
      nodes: [quiet, talker],
      timeoutMs: 60_000,
    })
    // Every two seconds it would be four times at least.
    assert.ok(asked(quiet) <= 2, `${asked(quiet)} times`)
  } finally {
    await stopAll([quiet, talker])
  }
})
