// Everything that can be wrong with what a peer sends, on every topic and protocol: each is refused, counted under its own
// name, handed to nobody and forwarded to nobody; afterwards the nodes work as before.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  encodeBatchesRequest,
  encodeBlocksRequest,
  encodeFrame,
  encodeStatus,
  encodeViewRequest,
  type Frame,
  maxGossipFrameBytes,
} from '../../src/codec/index.ts'
import { sha256 } from '../../src/crypto/native/index.ts'
import { channelOf } from '../../src/network/admission.ts'
import { gossipOptions, topicOf } from '../../src/network/gossip-options.ts'
import { networkErrorCode } from '../../src/network/index.ts'
import { createNode, type Libp2pNode } from '../../src/network/libp2p.ts'
import { readRecords, sendRecord } from '../../src/network/streams.ts'
import type { BatchId, PeerId } from '../../src/types/index.ts'
import { aBlockId, aChain, type Chain, flipped, seedOf } from '../unit/network/signed-frames.ts'
import { isFullMesh, startedNodes, stopAll, type TestNode, until } from './network-nodes.ts'

const chain = aChain()
/** The same keys, another genesis. */
const otherChain = aChain({ salt: 1 })
const { chainId } = chain.genesis
const final = 10
const here = final + 1
const past = final - 1
const farAhead = 2 ** 52
const MiB = 1024 * 1024
let nodes: TestNode[] = []
let strangers = 0

before(async () => {
  nodes = await startedNodes(chain, 3)
  for (const { handler } of nodes) handler.final = final
  await until('three nodes are connected', () => isFullMesh(nodes), { nodes })
})

after(() => stopAll(nodes))

function victim(): TestNode {
  const [node] = nodes
  assert.ok(node)
  return node
}

type GossipKind = keyof typeof channelOf
const gossipKinds = Object.keys(channelOf) as GossipKind[]

/** A good frame of each kind that gossip carries; the number tells those of one kind apart. */
const frameOf: Record<GossipKind, (at: { chain?: Chain; height?: number; number: number }) => Frame> = {
  batch: ({ chain: of = chain, number }) => ({ kind: 'batch', batch: of.batch({ text: `batch ${number}` }) }),
  proposal: ({ chain: of = chain, height = here, number }) => {
    const block = of.block({ height, view: number })
    return { kind: 'proposal', proposal: of.proposal({ block }) }
  },
  'pool-commitment': ({ chain: of = chain, height = here, number }) => ({
    kind: 'pool-commitment',
    commitment: of.commitment({ height, time: 100 + number }),
  }),
  vote: ({ chain: of = chain, height = here, number }) => ({
    kind: 'vote',
    vote: of.vote({ kind: 'notarize', height, view: number, blockId: aBlockId }),
  }),
  certificate: ({ chain: of = chain, height = here, number }) => ({
    kind: 'certificate',
    certificate: of.certificate({ kind: 'nullify', height, view: number }),
  }),
  evidence: ({ chain: of = chain, height = here, number }) => ({
    kind: 'evidence',
    evidence: of.evidence(number % 4, height),
  }),
}

/** By somebody whom genesis does not name; anybody may be the author of a batch. */
function ofNoValidator(frame: Frame): Frame | undefined {
  const validator = 4
  switch (frame.kind) {
    case 'proposal': {
      const { block: _, ...alone } = frame.proposal
      return { kind: 'proposal', proposal: { ...alone, leader: validator } }
    }
    case 'pool-commitment':
      return { kind: 'pool-commitment', commitment: { ...frame.commitment, validator } }
    case 'vote':
      return { kind: 'vote', vote: { ...frame.vote, validator } }
    case 'certificate': {
      const [a, b, c] = frame.certificate.signatures
      assert.ok(a && b && c)
      return {
        kind: 'certificate',
        certificate: { ...frame.certificate, signatures: [a, b, { ...c, validator }] },
      }
    }
    case 'evidence':
      return { kind: 'evidence', evidence: { ...frame.evidence, validator } }
    default:
      return undefined
  }
}

/** With one bit of a signature turned. */
function withBadSignature(frame: Frame): Uint8Array {
  if (frame.kind !== 'proposal') {
    const bytes = encodeFrame(frame)
    return flipped(bytes, bytes.length - 1)
  }
  const { proposal } = frame
  return encodeFrame({
    kind: 'proposal',
    proposal: { ...proposal, signature: flipped(proposal.signature, 40) },
  })
}

interface Fault {
  readonly what: string
  /** The counter that moves. */
  readonly counter: string
  readonly bytes: Uint8Array
}

/** What can be wrong with a frame of a kind, wherever it comes. */
function faultsOf(kind: GossipKind): Fault[] {
  let number = 0
  const fresh = (at: { chain?: Chain; height?: number } = {}) => {
    number += 1
    return frameOf[kind]({ ...at, number })
  }
  const whole = encodeFrame(fresh())
  const faults: Fault[] = [
    { what: 'cut short', counter: 'rejected_malformed', bytes: whole.slice(0, -1) },
    { what: 'with a byte too many', counter: 'rejected_malformed', bytes: Uint8Array.of(...whole, 0) },
    { what: 'nothing but its tag', counter: 'rejected_malformed', bytes: whole.slice(0, 1) },
    {
      what: 'of another chain',
      counter: 'rejected_bad-signature',
      bytes: encodeFrame(fresh({ chain: otherChain })),
    },
    { what: 'with a bad signature', counter: 'rejected_bad-signature', bytes: withBadSignature(fresh()) },
  ]
  const foreign = ofNoValidator(fresh())
  if (foreign !== undefined)
    faults.push({
      what: 'by no validator',
      counter: 'rejected_unknown-validator',
      bytes: encodeFrame(foreign),
    })
  if (kind === 'batch') return faults
  faults.push({
    what: 'far ahead',
    counter: 'ignored_ahead',
    bytes: encodeFrame(fresh({ height: farAhead })),
  })
  // Evidence is of use until it is in the chain.
  if (kind !== 'evidence')
    faults.push({ what: 'of the past', counter: 'ignored_old', bytes: encodeFrame(fresh({ height: past })) })
  return faults
}

/** A libp2p node under nobody's rules; it tells a status as a node of the chain would, so that it may stay. */
async function withStranger(
  act: (stranger: { node: Libp2pNode; peer: PeerId; connection: Connection }) => Promise<void>,
): Promise<void> {
  strangers += 1
  const node = await createNode({
    identitySeed: seedOf(strangers, 8),
    listen: [],
    announce: [],
    maxConnections: 10,
    pingIntervalMs: 10_000,
    gossip: gossipOptions({ chainId, sha256, pointsOf: () => 0 }),
    gater: {},
  })
  await node.start()
  try {
    await answer(node, 'status', [status()])
    for (const channel of ['messages', 'proposals', 'commitments'] as const)
      node.services.pubsub.subscribe(topicOf(chainId, channel))
    const [address = ''] = victim().network.addresses()
    const connection = await node.dial(multiaddr(address))
    const peer = node.peerId.toString() as PeerId
    await until('it is greeted', () => victim().network.chainPeers().includes(peer), { nodes })
    await act({ node, peer, connection })
  } finally {
    await node.stop()
  }
}

/** Answers every request of a protocol with these records. */
async function answer(node: Libp2pNode, name: string, records: readonly Uint8Array[]): Promise<void> {
  await node.unhandle(`/diseq/${chainId}/${name}/1`)
  await node.handle(`/diseq/${chainId}/${name}/1`, async (stream) => {
    for await (const _ of readRecords(stream, { maxBytes: 5 * MiB })) break
    for (const record of records) sendRecord(stream, record)
    await stream.close()
  })
}

function countOf(counter: string): number {
  return victim().network.counters()[counter] ?? 0
}

/** What one act moves a counter by: one, and no frame comes out. */
async function assertCounted(what: string, counter: string, act: () => unknown): Promise<void> {
  const count = countOf(counter)
  const { frames, pushed } = victim().handler
  const [framesBefore, pushedBefore] = [frames.length, pushed.length]
  await act()
  await until(`${what}: counted as ${counter}`, () => countOf(counter) > count, { nodes })
  assert.equal(countOf(counter), count + 1, what)
  assert.deepEqual([frames.length, pushed.length], [framesBefore, pushedBefore], `${what}: handed on`)
}

async function assertUnharmed(): Promise<void> {
  const isConnected = ({ network }: TestNode) =>
    nodes.every((other) => other.network === network || network.chainPeers().includes(other.network.peerId))
  assert.ok(nodes.every(isConnected))
  strangers += 1
  const batch = chain.batch({ author: 1, text: `still here ${strangers}` })
  nodes[1]?.network.publish({ kind: 'batch', batch })
  const has = ({ handler }: TestNode) =>
    handler.frames.some(({ frame }) => frame.kind === 'batch' && frame.batch.id === batch.id)
  await until('honest frames arrive', () => nodes.every((node) => node === nodes[1] || has(node)), { nodes })
  for (const { network } of nodes.slice(1)) {
    const blamed = Object.keys(network.counters()).filter((name) => /rejected|invalid|cut_off/.test(name))
    assert.deepEqual(blamed, [], 'something bad was forwarded')
  }
}

for (const kind of gossipKinds) {
  test(`of kind ${kind}: a frame with any fault is refused on its topic, and on every other`, async () => {
    await withStranger(async ({ node }) => {
      const { pubsub } = node.services
      const channel = channelOf[kind]
      await until('it is in the mesh', () => pubsub.getSubscribers(topicOf(chainId, channel)).length > 0)
      const publish = (to: typeof channel, bytes: Uint8Array) => pubsub.publish(topicOf(chainId, to), bytes)
      for (const { what, counter, bytes } of faultsOf(kind))
        await assertCounted(`${kind} ${what}`, counter, () => publish(channel, bytes))
      const good = encodeFrame(frameOf[kind]({ number: 50 }))
      for (const other of ['messages', 'proposals', 'commitments'] as const) {
        if (other === channel) continue
        await until('it is in the mesh', () => pubsub.getSubscribers(topicOf(chainId, other)).length > 0)
        await assertCounted(`${kind} on ${other}`, 'rejected_wrong-channel', () => publish(other, good))
      }
    })
    await assertUnharmed()
  })

  test(`of kind ${kind}: a frame with any fault is refused on a direct stream`, async () => {
    await withStranger(async ({ connection }) => {
      const stream = await connection.newStream(`/diseq/${chainId}/direct/1`)
      for (const { what, counter, bytes } of faultsOf(kind))
        await assertCounted(`${kind} ${what}`, counter, () => sendRecord(stream, bytes))
    })
    await assertUnharmed()
  })
}

test('what is too large for its topic is refused before it is looked at', async () => {
  await withStranger(async ({ node }) => {
    const { pubsub } = node.services
    const sizes = { messages: chain.genesis.limits.maxBatchBytes + 200, commitments: MiB }
    for (const [channel, size] of Object.entries(sizes) as [keyof typeof sizes, number][]) {
      const topic = topicOf(chainId, channel)
      await until('it is in the mesh', () => pubsub.getSubscribers(topic).length > 0, { nodes })
      await assertCounted(channel, 'rejected_too-large', () =>
        pubsub.publish(topic, new Uint8Array(size).fill(1)),
      )
    }
  })
  await assertUnharmed()
})

test('what is too large for any frame ends the stream it came on', async () => {
  await withStranger(async ({ connection }) => {
    const direct = await connection.newStream(`/diseq/${chainId}/direct/1`)
    await assertCounted('direct', 'rejected_too-large', () =>
      sendRecord(direct, new Uint8Array(maxGossipFrameBytes + 1)),
    )
    await until('it is closed', () => direct.status !== 'open', { nodes })
    // Gossip's own envelope has the limit that keeps larger proposals out.
    const gossip = await connection.newStream('/meshsub/1.2.0')
    await assertCounted('gossip', 'connections_renewed', () =>
      sendRecord(gossip, new Uint8Array(maxGossipFrameBytes + 1)),
    )
  })
  await assertUnharmed()
})

test('a connection that brings its bytes one by one is cut: each would be kept apart, at a hundred times its size', async () => {
  await withStranger(async ({ connection }) => {
    const stream = await connection.newStream(`/diseq/${chainId}/direct/1`)
    // A record of 2 MiB is announced, and comes.
    stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x01))
    await assertCounted('pieces', 'connections_cut_tiny_pieces', async () => {
      while (connection.status === 'open' && stream.status === 'open') {
        for (let piece = 0; piece < 500 && stream.status === 'open'; piece++) stream.send(Uint8Array.of(1))
        await turn()
      }
    })
  })
  await assertUnharmed()
})

test('a block is refused where only gossip goes, and a tag that there is not everywhere', async () => {
  const block = encodeFrame({ kind: 'block', block: chain.block({ height: here }) })
  await withStranger(async ({ node, connection }) => {
    const direct = await connection.newStream(`/diseq/${chainId}/direct/1`)
    await assertCounted('block', 'rejected_wrong-channel', () => sendRecord(direct, block))
    await assertCounted('tag 8', 'rejected_malformed', () => sendRecord(direct, Uint8Array.of(8, 1, 2)))
    await assertCounted('nothing', 'rejected_malformed', () => sendRecord(direct, new Uint8Array(0)))
    for (const [at, channel] of (['messages', 'proposals', 'commitments'] as const).entries()) {
      const topic = topicOf(chainId, channel)
      await until('it is in the mesh', () => node.services.pubsub.getSubscribers(topic).length > 0, { nodes })
      const tagged = Uint8Array.of(9, at)
      await assertCounted('tag 9', 'rejected_malformed', () => node.services.pubsub.publish(topic, tagged))
    }
  })
  await assertUnharmed()
})

const holding = { height: here, view: 0, commitments: [], views: [] }
const status = () =>
  encodeStatus({
    genesisHash: chain.genesis.hash,
    finalHeight: final,
    finalBlockId: aBlockId,
    holding,
  })
const view = (pushed: readonly Uint8Array[] = []) => encodeViewRequest({ holding, pushed })
const batches = (pushed: readonly Uint8Array[] = []) => encodeBatchesRequest({ wanted: [], pushed })
const manyIds = Array.from({ length: 1025 }, (_, at) => at.toString(16).padStart(64, '0') as BatchId)

/** What is no request, by protocol. */
const badRequests: Record<string, (readonly [what: string, bytes: Uint8Array])[]> = {
  status: [
    ['too large', new Uint8Array(128 * 1024 + 1)],
    ['cut short', status().slice(0, -1)],
    ['of another protocol', view()],
    ['empty', new Uint8Array(0)],
  ],
  view: [
    ['too large', new Uint8Array(5 * MiB)],
    ['cut short', view().slice(0, -1)],
    ['of another protocol', encodeBlocksRequest({ from: 1, count: 1 })],
    ['empty', new Uint8Array(0)],
  ],
  batches: [
    ['too large', new Uint8Array(5 * MiB)],
    ['cut short', batches().slice(0, -1)],
    ['of another protocol', view()],
    ['for too many', encodeBatchesRequest({ wanted: manyIds, pushed: [] })],
  ],
  blocks: [
    ['too large', new Uint8Array(17)],
    ['cut short', encodeBlocksRequest({ from: 1, count: 1 }).slice(0, -1)],
    ['of another protocol', view()],
    ['for none', encodeBlocksRequest({ from: 1, count: 0 })],
    ['for too many', encodeBlocksRequest({ from: 1, count: 257 })],
  ],
  peers: [['too large', new Uint8Array(1)]],
}

for (const [name, requests] of Object.entries(badRequests)) {
  test(`a request for ${name} that is none is not answered, and counted`, async () => {
    await withStranger(async ({ connection }) => {
      const open = () => connection.newStream(`/diseq/${chainId}/${name}/1`)
      for (const [what, bytes] of requests) {
        const stream = await open()
        await assertCounted(`${name} ${what}`, `requests_invalid_${name}`, () => sendRecord(stream, bytes))
        await until('it is closed', () => stream.status !== 'open', { nodes })
      }
      await assertCounted(`${name} that never ends`, `requests_unanswered_${name}`, async () => {
        const stream = await open()
        stream.send(Uint8Array.of(200, 1, 7, 7, 7))
        await stream.close()
      })
      const ofOther = connection.newStream(`/diseq/elsewhere/${name}/1`)
      await assert.rejects(ofOther, { name: 'UnsupportedProtocolError' }, 'of another chain')
    })
    await assertUnharmed()
  })
}

for (const [name, request] of Object.entries({ view, batches })) {
  const kinds =
    name === 'batches'
      ? (['batch'] as const)
      : (['proposal', 'pool-commitment', 'vote', 'certificate', 'evidence'] as const)
  for (const kind of kinds) {
    test(`of kind ${kind}: a frame with any fault is refused where it is pushed in a request for ${name}`, async () => {
      await withStranger(async ({ connection }) => {
        const misplaced = name === 'batches' ? frameOf.vote({ number: 60 }) : frameOf.batch({ number: 60 })
        const faults = [
          ...faultsOf(kind),
          { what: 'misplaced', counter: 'rejected_wrong-channel', bytes: encodeFrame(misplaced) },
        ]
        for (const { what, counter, bytes } of faults) {
          await assertCounted(`${kind} ${what}`, counter, async () => {
            const stream = await connection.newStream(`/diseq/${chainId}/${name}/1`)
            sendRecord(stream, request([bytes]))
            await stream.close()
          })
        }
      })
      await assertUnharmed()
    })
  }
}

test('blocks of heights that there are not are none, and no fault', async () => {
  const invalid = countOf('requests_invalid_blocks')
  const [other] = nodes.slice(1)
  assert.ok(other)
  const { peerId } = victim().network
  for (const from of [0, final + 1, Number.MAX_SAFE_INTEGER - 1000]) {
    for await (const _ of other.network.requestBlocks(peerId, { from, count: 3 })) assert.fail('a block')
  }
  assert.equal(countOf('requests_invalid_blocks'), invalid)
})

test('replies that are none are errors, and counted', async () => {
  await withStranger(async ({ node, peer }) => {
    const { network } = victim()
    const block = encodeFrame({ kind: 'block', block: chain.block({ height: here }) })
    const asks: Record<string, [reply: Uint8Array[], ask: () => Promise<unknown>]> = {
      status: [[Uint8Array.of(1, 2, 3)], () => network.requestStatus(peer)],
      view: [[block], () => network.requestView(peer, { holding, pushed: [] })],
      batches: [[new Uint8Array(9 * MiB)], () => network.requestBatches(peer, { wanted: [], pushed: [] })],
      blocks: [
        [block],
        async () => {
          for await (const _ of network.requestBlocks(peer, { from: 1, count: 1 })) assert.fail('a block')
        },
      ],
    }
    // Asked for by itself, soon after it met somebody.
    await assertCounted('a reply to peers', 'replies_invalid_peers', () =>
      answer(node, 'peers', [Uint8Array.of(0, 1, 9)]),
    )
    for (const [name, [reply, ask]] of Object.entries(asks)) {
      await answer(node, name, reply)
      await assertCounted(`a reply to ${name}`, `replies_invalid_${name}`, () =>
        assert.rejects(ask, (error) => networkErrorCode(error) === 'bad-reply'),
      )
    }
  })
  await assertUnharmed()
})

test('a status of another genesis parts the two, and is counted', async () => {
  await withStranger(async ({ node, connection }) => {
    const stream = await connection.newStream(`/diseq/${chainId}/status/1`)
    const ofOther = encodeStatus({ ...victim().handler.status(), genesisHash: otherChain.genesis.hash })
    await assertCounted('status', 'disconnected_other_genesis', () => sendRecord(stream, ofOther))
    await until('they part', () => node.getConnections().length === 0, { nodes })
  })
  await assertUnharmed()
})
