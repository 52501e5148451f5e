// What a node takes up when it starts: the chain's state from the last blocks, the height under way from the frames
// that were saved of it and from the signing record (protocol D2), and the pool.
import { type ChainState, genesisState, restoreState, restoreWindowBlocks } from '../chain/index.ts'
import {
  commitmentEntriesMax,
  decodePoolCommitment,
  decodeProposalBody,
  decodeVoteBody,
} from '../codec/index.ts'
import type { Input, RestoredHeight } from '../consensus/index.ts'
import { beaconOf, sha256 } from '../crypto/native/index.ts'
import { assert } from '../quorum/index.ts'
import {
  type ChainStore,
  corrupted,
  type PoolBatch,
  provableRoots,
  type RecordedSignature,
} from '../storage/index.ts'
import {
  type CheckpointRule,
  LocalStateTrie,
  openStoredTrie,
  type StateTrie,
  type StoredTrie,
} from '../trie/index.ts'
import type {
  BatchId,
  Block,
  Certificate,
  Genesis,
  Height,
  PoolCommitment,
  Proposal,
  Verified,
  Vote,
} from '../types/index.ts'
import type { ListedBatches } from './listed-batches.ts'
import type { PoolDoor } from './pool-door.ts'
import { type Keys, trusted, type Verifier } from './ports.ts'
import { nativeSchemes, type Schemes } from './schemes.ts'
import type { Signing } from './signing.ts'

export interface TrieSettings {
  /** Memory for pages that can be read again. */
  readonly cachedBytesMax?: number
  readonly rule?: CheckpointRule
}

/** The trie as the store has it: of the last checkpoint. `loadChain` brings it to the tip. Pages that a checkpoint left
 *  which never became whole are forgotten; where pages of the whole one are missing all are, and `loadChain` makes the
 *  trie of all blocks again.
 *  @param onMissing called where that is so. */
export async function takeUpTrie(
  options: TrieSettings & { readonly store: ChainStore },
  onMissing: () => void = () => undefined,
): Promise<StoredTrie> {
  const trie = openTrie(options)
  if (await options.store.cutTriePages(trie.pageRange)) return trie
  onMissing()
  return openTrie(options)
}

/** `takeUpTrie` for a node: in the thread that asks. */
export async function openStateTrie(
  options: TrieSettings & { readonly store: ChainStore },
  onMissing?: () => void,
): Promise<StateTrie> {
  return new LocalStateTrie(await takeUpTrie(options, onMissing))
}

/** The same of a store that has no pages but those of its checkpoint. */
export function openTrie({
  store,
  cachedBytesMax,
  rule,
}: TrieSettings & { readonly store: ChainStore }): StoredTrie {
  return openStoredTrie({
    source: store.triePages,
    hash: sha256,
    checkpoint: store.readTrieCheckpoint(),
    pastMax: provableRoots,
    cachedBytesMax,
    rule,
  })
}

/** The state after the last final block, made again from the last blocks; the trie is brought to that block. */
export async function loadChain(options: {
  genesis: Genesis
  store: ChainStore
  trie: StateTrie
  schemes?: Schemes
}): Promise<ChainState> {
  const { genesis, store, trie, schemes = nativeSchemes } = options
  const { height } = store.tip
  await catchUpTrie(store, trie)
  if (height === 0) return genesisState(genesis, sha256)
  const blocks = []
  for (let at = Math.max(1, height - restoreWindowBlocks + 1); at <= height; at++) {
    const outline = await store.readOutline(at)
    if (outline === undefined) throw corrupted(`block ${at}`, `it is missing, and the last one is ${height}`)
    blocks.push(outline)
  }
  const last = blocks.at(-1)?.block
  assert(last !== undefined, 'a chain without blocks')
  const output = schemes.vrfOutputOf(last.header.vrfProof)
  assert(output !== undefined, 'the last block has no VRF output')
  const convictions = await store.readConvictions()
  return restoreState({
    genesis,
    sha256,
    recent: blocks,
    beacon: beaconOf(output),
    trie: trie.top,
    convicted: convictions.map(({ validator }) => validator),
  })
}

/** Puts the messages of the blocks since the checkpoint into the trie again; their roots have to be the headers'. Where
 *  they are not, the database is damaged: LevelDB drops what it finds damaged in its log without a word, from the
 *  middle too. */
async function catchUpTrie(store: ChainStore, trie: StateTrie): Promise<void> {
  const { tip } = store
  if (trie.height > tip.height)
    throw corrupted('trie', `it is of block ${trie.height}, and the last one is ${tip.height}`)
  for (let height = trie.height + 1; height <= tip.height; height++) {
    const [messages, block] = [await store.readMessages(height), await store.readHeader(height)]
    if (messages === undefined || block === undefined)
      throw corrupted(`block ${height}`, `it is missing, and the last one is ${tip.height}`)
    const data = messages.map(({ message }) => message.data)
    const executed = await trie.execute(height - 1, data)
    if (executed?.stateRoot !== block.header.stateRoot)
      throw corrupted(`block ${height}`, "its messages give another trie than its header's")
    const writes = await trie.append(executed)
    assert(writes !== undefined, 'the trie forgot what it just executed')
    await store.saveTrie(writes)
  }
}

/** What is on disk of a height: what was held, what was signed; the commitment made ahead for the next; and
 *  own commitments whose batches others may still ask for. */
export async function loadHeight(
  options: {
    genesis: Genesis
    store: ChainStore
    keys: Keys
    signing: Signing | undefined
    verifier: Verifier
  },
  height: Height,
): Promise<{ restored: RestoredHeight; deferred: readonly Input[]; listed: readonly PoolCommitment[] }> {
  const { store, verifier } = options
  const own = ownSignatures(options)
  const blocks = new Map<string, Block>()
  const certificates: Verified<Certificate>[] = []
  for (const frame of await store.loadFrames(height)) {
    if (frame.kind === 'block' && frame.block.header.height === height) {
      const block = withOwnSignature(frame.block, own.proposals)
      if (verifier.verifyFrame({ kind: 'block', block }).ok) blocks.set(block.id, block)
    }
    if (
      frame.kind === 'certificate' &&
      frame.certificate.height === height &&
      verifier.verifyFrame(frame).ok
    ) {
      certificates.push(trusted(frame.certificate))
    }
  }
  const ofHeight = <T extends { readonly height: Height }>(items: readonly T[]) =>
    items.filter((item) => item.height === height)
  const proposals = ofHeight(own.proposals).map((proposal) => {
    const block = blocks.get(proposal.blockId)
    const below = certificates.filter(({ view, kind }) => view < proposal.view && kind !== 'finalization')
    const justification = below.sort((a, b) => a.view - b.view)
    return trusted({ ...proposal, justification, ...(block === undefined ? {} : { block }) })
  })
  const restored: RestoredHeight = {
    blocks: [...blocks.values()],
    certificates,
    commitments: ofHeight(own.commitments).map(trusted),
    votes: ofHeight(own.votes).map(trusted),
    proposals,
  }
  const ahead = own.commitments.filter((commitment) => commitment.height === height + 1)
  return {
    restored,
    deferred: ahead.map((commitment) => ({ kind: 'pool-commitment', commitment: trusted(commitment) })),
    listed: own.commitments.filter((commitment) => commitment.height >= height),
  }
}

/** Puts the saved pool, and what of it own commitments list, to where it was. Batches that no block can use any more, as
 *  far as the chain has come since, leave the disk too. */
export async function restorePool(options: {
  readonly pooled: readonly PoolBatch[]
  /** Own ones whose batches others may still ask for, from `loadHeight`. */
  readonly commitments: readonly PoolCommitment[]
  readonly listed: ListedBatches
  readonly door: Pick<PoolDoor, 'offer'>
  readonly store: Pick<ChainStore, 'saveStep'>
  /** The disk has it, and keeps it. */
  readonly onStored: (id: BatchId) => void
}): Promise<void> {
  const { pooled, commitments, listed, door, store, onStored } = options
  const batches = new Map(pooled.map(({ batch }) => [batch.id, batch]))
  for (const { height, entries } of commitments)
    listed.list(
      height,
      entries.flatMap(({ batchId }) => batches.get(batchId) ?? []),
    )
  const from = { kind: 'restored' } as const
  const offers = pooled.map(({ batch, receivedAt, pinned }) =>
    door.offer({ batch, from, isPinned: pinned, receivedAt }),
  )
  const results = await Promise.all(offers)
  const refused = pooled.filter((_, at) => results[at]?.kind === 'refused').map(({ batch }) => batch.id)
  const useless = refused.filter((id) => listed.get(id) === undefined)
  // Only what stays on disk: of the rest a vote for a block that has it must write it again (D1).
  const gone = new Set(useless)
  for (const { batch } of pooled) if (!gone.has(batch.id)) onStored(batch.id)
  if (useless.length > 0) await store.saveStep({ removedPoolBatches: useless })
}

interface OwnSignatures {
  readonly commitments: PoolCommitment[]
  readonly votes: Vote[]
  readonly proposals: Proposal[]
}

function ownSignatures(options: {
  genesis: Genesis
  keys: Keys
  signing: Signing | undefined
}): OwnSignatures {
  const own: OwnSignatures = { commitments: [], votes: [], proposals: [] }
  const { genesis, keys, signing } = options
  const { validator } = keys
  if (signing === undefined || validator === undefined) return own
  const entriesMax = commitmentEntriesMax(genesis.limits, genesis.validators.length)
  for (const entry of signing.entries()) addEntry(own, { entry, validator, entriesMax })
  return own
}

function addEntry(
  own: OwnSignatures,
  details: { entry: RecordedSignature; validator: number; entriesMax: number },
): void {
  const { entry, validator, entriesMax } = details
  const { bytes, signature } = entry
  switch (entry.subject.kind) {
    case 'pool-commitment': {
      const decoded = decodePoolCommitment({ validator, bytes, signature }, entriesMax)
      if (decoded.ok) own.commitments.push(decoded.value)
      return
    }
    case 'proposal': {
      const decoded = decodeProposalBody(bytes)
      if (decoded.ok)
        own.proposals.push({ ...decoded.value, leader: validator, signature, justification: [] })
      return
    }
    default: {
      const decoded = decodeVoteBody(bytes)
      if (decoded.ok) own.votes.push({ ...decoded.value, validator, signature })
    }
  }
}

/** An own block was saved before it was signed; the record has its signature. */
function withOwnSignature(block: Block, proposals: readonly Proposal[]): Block {
  const own = proposals.find(({ blockId, view }) => blockId === block.id && view === block.header.view)
  return own === undefined ? block : { ...block, signature: own.signature.slice() }
}
