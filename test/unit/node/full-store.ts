// A node's store with every kind of key in it, and what tests of `diseq check` do with stores.
import { type HeightFrame, type KeyValueStore, MemoryStore, metaKeys } from '../../../src/storage/index.ts'
import { nextPageId, type StoredPage } from '../../../src/trie/index.ts'
import type { Block, PeerId } from '../../../src/types/index.ts'
import { pieceOf } from '../../contract/page-log.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

const everything = { gte: Uint8Array.of(0), lt: new Uint8Array(64).fill(0xff) }
/** Messages of a full part of the index by id: there is one with 67 blocks. */
export const partMessages = 40

/** A node's store with every kind of key in it. */
export async function aFullStore(store: KeyValueStore, heightMax = 67): Promise<ChainBuilder> {
  const chain = await ChainBuilder.create({ store, partMessages })
  const doubled = aMessage('doubled')
  const first = chain.batch([
    doubled,
    aMessage('late', { expiresAt: 0 }),
    aMessage('spaced', { namespace: 'n' }),
  ])
  const second = chain.batch([doubled, aMessage('reserved', { namespace: 'diseq/other' })], 1)
  await chain.addBlock({ batches: [first, second] })
  await chain.addBlock({ messages: [chain.evidenceMessage(3), aMessage('with evidence')] })
  await chain.addBlock({ view: 2, finalView: 3, attached: [0, 1, 2], signers: [0, 1, 3] })
  await chain.addBlocksUpTo(heightMax)

  const height = chain.state.height + 1
  const pooled = [chain.batch([aMessage('pending')]), chain.batch([aMessage('pinned')], 2)]
  await chain.store.noteSigningNumber(3)
  await chain.store.saveStep({
    batches: pooled.map((batch, at) => ({ batch, receivedAt: 5, pinned: at === 1 })),
    frames: await framesOf(chain, height),
    evidence: [chain.evidence(3), chain.evidence(2)],
  })
  await chain.store.savePeers([{ peerId: 'p' as PeerId, addresses: ['/ip4/127.0.0.1/tcp/9080'] }])
  return chain
}

async function framesOf(chain: ChainBuilder, height: number): Promise<HeightFrame[]> {
  const { block } = await chain.makeBlock({ messages: [aMessage('proposed')] })
  const notarize = { kind: 'notarize', height, view: 0, blockId: block.id } as const
  const nullify = { kind: 'nullify', height, view: 0 } as const
  return [
    { kind: 'block', block },
    { kind: 'block', block: await unsignedBlock(chain) },
    { kind: 'certificate', certificate: chain.certificate(notarize) },
    { kind: 'certificate', certificate: chain.certificate(nullify, [0, 1, 2]) },
    { kind: 'vote', vote: chain.vote(1, notarize) },
    { kind: 'pool-commitment', commitment: chain.commitment({ validator: 2, height }) },
  ]
}

/** As a leader saves its own before it signs it. */
async function unsignedBlock(chain: ChainBuilder): Promise<Block> {
  const { block } = await chain.makeBlock({ messages: [aMessage('own')], view: 1 })
  return { ...block, signature: new Uint8Array(64) }
}

export async function copyOf(store: KeyValueStore): Promise<MemoryStore> {
  const copy = new MemoryStore()
  for (const [key, value] of await entriesOf(store)) await copy.write([{ type: 'put', key, value }])
  await copy.pages.append(pieceOf(pagesOf(store)))
  return copy
}

/** Those of the trie's last whole checkpoint. */
export function pagesOf(store: KeyValueStore): StoredPage[] {
  const checkpoint = store.get(metaKeys.trieCheckpoint)
  if (checkpoint === undefined) return []
  const view = new DataView(checkpoint.buffer, checkpoint.byteOffset)
  const [first, next] = [8, 16].map((at) => Number(view.getBigUint64(at)))
  const pages: StoredPage[] = []
  for (let id = first ?? 0; id < (next ?? 0); ) {
    const bytes = store.pages.get(id)
    if (bytes === undefined) throw new Error(`page ${id} is missing`)
    pages.push({ id, bytes })
    id = nextPageId({ id, bytes })
  }
  return pages
}

export async function entriesOf(store: KeyValueStore): Promise<[key: Uint8Array, value: Uint8Array][]> {
  const entries: [Uint8Array, Uint8Array][] = []
  for await (const [key, value] of store.iterate(everything)) entries.push([key, value])
  return entries
}

/** What each problem is about. */
export function placesIn(problems: readonly string[]): string[] {
  return problems.map((problem) => problem.split('): ')[0] ?? '').map((place) => `${place})`)
}
