// A chain to store: well-formed blocks with made-up signatures. Storage believes what it is given.

import {
  decodeBatch,
  decodePoolCommitment,
  defaultLimits,
  encodeBatchBody,
  encodeHeader,
  encodePoolCommitmentBody,
  type FinalBlock,
  headerVersion,
  withHashes,
} from '../../../src/codec/index.ts'
import { sha256, sha256Hex } from '../../../src/crypto/native/index.ts'
import {
  ChainStore,
  type FinalStep,
  type KeyValueStore,
  MemoryStore,
  type SkippedMessage,
} from '../../../src/storage/index.ts'
import { EMPTY_STATE_ROOT } from '../../../src/trie/index.ts'
import type {
  Batch,
  Block,
  BlockId,
  Genesis,
  Hash,
  Height,
  Message,
  PeerId,
  PoolCommitment,
  PublicKey,
  Validator,
  VrfPublicKey,
} from '../../../src/types/index.ts'

export const signature = (fill: number): Uint8Array => new Uint8Array(64).fill(fill)
export const hashOf = (text: string): Hash => sha256Hex(new TextEncoder().encode(text))
export const dataOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export function aGenesis(chainId = 'test'): Genesis {
  const validators = [0, 1, 2, 3].map(
    (index): Validator => ({
      name: `v${index}`,
      votingKey: hashOf(`voting ${index}`) as string as PublicKey,
      vrfKey: hashOf(`vrf ${index}`) as string as VrfPublicKey,
      peerId: `peer ${index}` as PeerId,
      nodeKey: hashOf(`node ${index}`) as string as PublicKey,
      power: 1,
    }),
  )
  const limits = defaultLimits
  return withHashes({ chainId, time: 1_000, faultModel: 'byzantine', limits, validators }, sha256)
}

export function aMessage(text: string, fields: Partial<Message> = {}): Message {
  return { data: dataOf(text), timestamp: 7, ...fields }
}

export function aBatch(messages: readonly Message[], author = 0): Batch {
  const bytes = encodeBatchBody(hashOf(`node ${author}`), messages, defaultLimits)
  const decoded = decodeBatch({ bytes, signature: signature(author) }, { limits: defaultLimits, sha256 })
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

export function aCommitment(
  height: Height,
  validator: number,
  batches: readonly Batch[] = [],
): PoolCommitment {
  const entries = batches.map(({ id }) => ({ batchId: id, receivedAt: 500 }))
  entries.sort((a, b) => (a.batchId < b.batchId ? -1 : 1))
  const bytes = encodePoolCommitmentBody({ height, time: 600, entries })
  const decoded = decodePoolCommitment({ validator, bytes, signature: signature(validator) }, 1_000)
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

export interface BlockFields {
  readonly height: Height
  readonly previousBlockId: BlockId
  readonly messageCount?: number
  readonly stateRoot?: Hash
  readonly commitments?: readonly PoolCommitment[]
}

export function aBlock({ height, previousBlockId, ...fields }: BlockFields): Block {
  const header = {
    version: headerVersion,
    chainId: 'test',
    height,
    view: 0,
    time: 1_000 + height,
    previousBlockId,
    leader: 0,
    vrfProof: new Uint8Array(80).fill(height % 256),
    commitmentsHash: hashOf('commitments'),
    batchesHash: hashOf('batches'),
    sequenceRoot: hashOf('sequence'),
    messageCount: fields.messageCount ?? 0,
    namespacesRoot: hashOf('namespaces'),
    namespaceCount: 0,
    stateHeight: height,
    stateRoot: fields.stateRoot ?? EMPTY_STATE_ROOT,
    validatorsHash: hashOf('validators'),
    nextValidatorsHash: hashOf('validators'),
  }
  const headerBytes = encodeHeader(header)
  const id = sha256Hex(headerBytes) as BlockId
  const commitments = fields.commitments ?? [aCommitment(height, 0), aCommitment(height, 2)]
  return { id, header, headerBytes, signature: signature(1), commitments }
}

/** A final block of `batches` after the block `previousBlockId`, without trie nodes. */
export function aFinalStep(
  fields: { readonly height: Height; readonly previousBlockId: BlockId },
  batches: readonly Batch[] = [],
  skipped: readonly SkippedMessage[] = [],
): FinalStep {
  const messageCount = batches.reduce((sum, { messages }) => sum + messages.length, 0) - skipped.length
  const block = aBlock({ ...fields, messageCount })
  return {
    final: finalised(block, batches),
    skipped,
    trie: { pages: [], checkpoint: undefined },
    removedPoolBatches: batches.map(({ id }) => id),
  }
}

export function finalised(block: Block, batches: readonly Batch[]): FinalBlock {
  const { height, view } = block.header
  const signatures = [0, 1, 2].map((validator) => ({ validator, signature: signature(validator) }))
  return {
    block,
    finalization: { kind: 'finalization', height, view, blockId: block.id, signatures },
    batches,
  }
}

/** Of the stores that `anOpenStore` opens. */
export const genesis = aGenesis()

export async function anOpenStore(store: KeyValueStore = new MemoryStore()): Promise<ChainStore> {
  return ChainStore.open({ store, genesis })
}

/** The next block of the chain. */
export function next(
  chain: ChainStore,
  ...rest: [batches?: readonly Batch[], skipped?: FinalStep['skipped']]
): FinalStep {
  const { height, blockId } = chain.tip
  return aFinalStep({ height: height + 1, previousBlockId: blockId }, ...rest)
}

export const first = aBatch([
  aMessage('a'),
  aMessage('b', { namespace: 'spâce' }),
  aMessage('c', { expiresAt: 9 }),
])
export const second = aBatch([aMessage('b', { namespace: 'spâce' }), aMessage('d'), aMessage('')], 1)
