// What tests read of running nodes' chains, over HTTP, and what they hold against each other.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { encodeMessage } from '../../src/codec/index.ts'
import type { NodeHttp } from './node-http.ts'

/** The parts of a block of `/v1/blocks` that tests look at. */
export interface BlockSummary {
  readonly height: number
  readonly id: string
  readonly header: { readonly leader: number; readonly view: number }
  readonly messages: readonly { readonly id: string }[]
  readonly commitments: readonly { readonly validator: number }[]
  readonly finalization: {
    readonly view: number
    readonly signatures: readonly { readonly validator: number }[]
  }
}

interface Status {
  readonly finalHeight: number
  readonly finalBlockId: string
  readonly stateRoot: string
  readonly validator: number | null
  readonly peerCount: number
  readonly pool: { readonly messageCount: number }
}

const pageLimit = 100

export function statusOf(node: NodeHttp): Promise<Status> {
  return node.json<Status>('/v1/status')
}

export async function heightOf(node: NodeHttp): Promise<number> {
  return (await statusOf(node)).finalHeight
}

/** Final blocks from a height on, without genesis. */
export async function blocksOf(node: NodeHttp, from = 1): Promise<BlockSummary[]> {
  const blocks: BlockSummary[] = []
  let next: number | null = from
  while (next !== null) {
    const path = `/v1/blocks?from=${next}&limit=${pageLimit}`
    const page: { blocks: BlockSummary[]; next: number | null } = await node.json(path)
    blocks.push(...page.blocks)
    next = page.next
  }
  return blocks
}

/** A look-out: true from the first time that a block of a height from `from` on is such, reading each block once. */
export function sighting(
  node: NodeHttp,
  from: number,
  isSuch: (block: BlockSummary) => boolean,
): () => Promise<boolean> {
  let next = from
  let isSeen = false
  return async () => {
    for (const block of isSeen ? [] : await blocksOf(node, next)) {
      next = block.height + 1
      isSeen ||= isSuch(block)
    }
    return isSeen
  }
}

export function hasFinalized(validator: number): (block: BlockSummary) => boolean {
  return ({ finalization }) => finalization.signatures.some((signature) => signature.validator === validator)
}

export function hasListed(validator: number): (block: BlockSummary) => boolean {
  return ({ commitments }) => commitments.some((commitment) => commitment.validator === validator)
}

/** All message ids of the chain, in its order. */
export function sequenceOf(blocks: readonly BlockSummary[]): string[] {
  return blocks.flatMap(({ messages }) => messages.map(({ id }) => id))
}

/** Whether all nodes have the same tip, of at least `height`, and nothing pending. */
export async function isSettled(nodes: readonly NodeHttp[], height = 0): Promise<boolean> {
  const statuses = await Promise.all(nodes.map(statusOf))
  const tips = new Set(statuses.map(({ finalBlockId }) => finalBlockId))
  return (
    tips.size === 1 &&
    statuses.every(({ finalHeight, pool }) => finalHeight >= height && pool.messageCount === 0)
  )
}

/** Nodes that are settled have one sequence, in which each of `ids` is exactly once, and one root. Returns the blocks. */
export async function assertOneSequence(
  nodes: readonly NodeHttp[],
  ids: Iterable<string>,
): Promise<BlockSummary[]> {
  const chains = await Promise.all(nodes.map((node) => blocksOf(node)))
  const [first] = chains
  assert.ok(first !== undefined)
  for (const chain of chains) {
    assert.deepEqual(
      chain.map(({ id }) => id),
      first.map(({ id }) => id),
    )
    assert.deepEqual(sequenceOf(chain), sequenceOf(first))
  }
  const sequence = sequenceOf(first)
  const places = new Set(sequence)
  assert.equal(places.size, sequence.length, 'a message is in the sequence twice')
  const missing = [...ids].filter((id) => !places.has(id))
  assert.deepEqual(missing, [], 'messages that were accepted and are not in the sequence')
  const roots = await Promise.all(nodes.map(async (node) => (await node.get('/get/state_root_hash')).text))
  assert.equal(new Set(roots).size, 1, 'state roots differ')
  return first
}

/** The id of a message of the original's form. */
export function idOf(data: Uint8Array, timestamp = 0): string {
  return createHash('sha256').update(encodeMessage({ data, timestamp })).digest('hex')
}
