// What the next height needs to know of the chain (protocol §3): a value that each final block takes one step on.
// It is not stored: a restart makes it again from the last 64 blocks and the convictions.
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import {
  absenceWindowBlocks,
  evidenceNamespace,
  evidenceOfMessage,
  Line,
  lineWindowBlocks,
} from '../sequencing/index.ts'
import { EMPTY_TRIE, type Hasher, stateRootOf, type TrieTop, topOf } from '../trie/index.ts'
import type {
  BatchId,
  Block,
  BlockId,
  Genesis,
  Hash,
  Height,
  SequencedMessage,
  TimeMs,
  ValidatorIndex,
} from '../types/index.ts'

/** Final blocks from which `restoreState` makes the state again. */
export const restoreWindowBlocks = Math.max(absenceWindowBlocks, lineWindowBlocks)

export interface ChainState {
  /** Of the last final block; 0 is genesis. */
  readonly height: Height
  readonly blockId: BlockId
  /** beacon(height): draws the leaders of the next height. */
  readonly beacon: Hash
  readonly time: TimeMs
  /** After the block. */
  readonly trie: TrieTop
  readonly stateRoot: Hash
  /** Validators whose commitments are attached to each of the last 16 blocks, newest last. */
  readonly recentAttached: readonly ReadonlySet<ValidatorIndex>[]
  /** Of the last 64 blocks. The one part that moves along instead of being copied (it can hold more than a million
   *  places): all states of a chain share it, and it is that of the newest. Nothing that must agree rests on it. */
  readonly line: Line
  /** Validators against whom evidence is in the chain. */
  readonly convicted: ReadonlySet<ValidatorIndex>
}

/** A block that became final, and what followed from it. */
export interface ChainStep {
  readonly block: Block
  /** beacon(block height), of its VRF proof. */
  readonly beacon: Hash
  readonly batchIds: readonly BatchId[]
  /** As it is after the block. */
  readonly trie: TrieTop
  /** `convictedBy` its messages. */
  readonly convicted: readonly ValidatorIndex[]
}

/** The state before the first block (protocol §3): id(0) is the genesis hash, beacon(0) SHA-256 of a label and it. */
export function genesisState(genesis: Genesis, sha256: Hasher): ChainState {
  const seed = concatBytes(utf8ToBytes('diseq/1/beacon'), hexToBytes(genesis.hash))
  return {
    height: 0,
    blockId: genesis.hash as BlockId,
    beacon: bytesToHex(sha256(seed)) as Hash,
    time: genesis.time,
    trie: topOf(EMPTY_TRIE),
    stateRoot: stateRootOf(EMPTY_TRIE),
    recentAttached: [],
    line: new Line(),
    convicted: new Set(),
  }
}

/** The state after the next final block: for blocks that are final only, since the line moves along.
 *  @throws RangeError unless the block is the next on `state` and `trie` is the one of its header. */
export function advance(state: ChainState, step: ChainStep): ChainState {
  const { block, beacon, batchIds, trie } = step
  const { height, time, previousBlockId } = block.header
  if (height !== state.height + 1 || previousBlockId !== state.blockId) {
    throw new RangeError(`block ${height} does not follow block ${state.height}`)
  }
  const stateRoot = stateRootOf(trie)
  if (stateRoot !== block.header.stateRoot) throw new RangeError(`block ${height} has another trie`)

  state.line.appendBlock({ height, commitments: block.commitments, batchIds })
  const recentAttached = [...state.recentAttached, attachedTo(block)].slice(-absenceWindowBlocks)
  const convicted =
    step.convicted.length === 0 ? state.convicted : new Set([...state.convicted, ...step.convicted])
  const { line } = state
  return { height, blockId: block.id, beacon, time, trie, stateRoot, recentAttached, line, convicted }
}

/** Validators that a block's messages convict: evidence is in a sequence only if it is valid, and the first. */
export function convictedBy(messages: readonly SequencedMessage[]): ValidatorIndex[] {
  const convicted: ValidatorIndex[] = []
  for (const { message } of messages) {
    if (message.namespace !== evidenceNamespace) continue
    const evidence = evidenceOfMessage(message)
    if (evidence.ok) convicted.push(evidence.value.validator)
  }
  return convicted
}

/** The state of a stored chain: what `advance` came to.
 *  @param recent the last `restoreWindowBlocks` final blocks, oldest first; fewer only where the chain has fewer.
 *  @param beacon of the last of them.
 *  @param trie after the last of them.
 *  @param convicted by evidence anywhere in the chain.
 *  @throws RangeError where blocks are missing or `trie` is not the last header's. */
export function restoreState({
  genesis,
  sha256,
  recent,
  beacon,
  trie,
  convicted,
}: {
  readonly genesis: Genesis
  readonly sha256: Hasher
  readonly recent: readonly { readonly block: Block; readonly batchIds: readonly BatchId[] }[]
  readonly beacon: Hash
  readonly trie: TrieTop
  readonly convicted: Iterable<ValidatorIndex>
}): ChainState {
  const empty = genesisState(genesis, sha256)
  const last = recent.at(-1)?.block
  if (last === undefined) return empty
  if (recent.length < Math.min(last.header.height, restoreWindowBlocks)) {
    throw new RangeError(`${recent.length} blocks are too few to go on after block ${last.header.height}`)
  }
  const stateRoot = stateRootOf(trie)
  const { height, time } = last.header
  if (stateRoot !== last.header.stateRoot) throw new RangeError(`block ${height} has another trie`)

  const { line } = empty
  for (const { block, batchIds } of recent) {
    line.appendBlock({ height: block.header.height, commitments: block.commitments, batchIds })
  }
  const recentAttached = recent.slice(-absenceWindowBlocks).map(({ block }) => attachedTo(block))
  const ids = { height, blockId: last.id, beacon, time }
  return { ...ids, trie, stateRoot, recentAttached, line, convicted: new Set(convicted) }
}

function attachedTo(block: Block): Set<ValidatorIndex> {
  return new Set(block.commitments.map(({ validator }) => validator))
}
