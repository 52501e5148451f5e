// Reads the stored chain and makes the proofs of it that strangers ask for (docs/proofs.md). What a proof is, `proofs`
// says; here is where the pieces lie, and how much is read for one request.
import { bytesToHex, type Sha256 } from '../codec/index.ts'
import type {
  FinalityProofJson,
  HeaderChainJson,
  NamespaceProofJson,
  ReceiptJson,
  TrieProofJson,
} from '../proofs/index.ts'
import { encodeReceiptBody } from '../proofs/index.ts'
import {
  type FinalHeader,
  makeFinalityProof,
  makeHeaderChain,
  makeNamespaceProof,
  makeTrieProof,
  type NamespaceBlockJson,
  namespaceBlock,
  receiptJson,
} from '../proofs/make.ts'
import { type ChainReader, type ChainStore, provableRoots } from '../storage/index.ts'
import { absenceOf, inclusionOf, keyOf, type StateTrie } from '../trie/index.ts'
import type {
  Finalization,
  Hash,
  Header,
  Height,
  MessageId,
  PublicKey,
  SequencedMessage,
} from '../types/index.ts'
import type { Clock } from './ports.ts'

export interface ReceiptSigner {
  /** The node's key. */
  readonly node: PublicKey
  /** Over the signing domain of receipts. */
  sign(bytes: Uint8Array): Uint8Array
}

export interface ProofMakerOptions {
  readonly store: ChainReader & Pick<ChainStore, 'tip' | 'messagePlaces'>
  readonly trie: Pick<StateTrie, 'path'>
  readonly sha256: Sha256
  readonly receiptSigner: ReceiptSigner
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Blocks from `from` on, at most `count`. */
export interface BlockRange {
  readonly from: Height
  readonly count: number
}

/** Of one reply; each header has about 0.6 KB of base64. */
const maxHeadersPerReply = 1_000
/** A range of a namespace ends with the block that brings what was read beyond this: each block with namespaces has to
 *  be read whole, and may have megabytes. */
const maxReadBytes = 8 * 1024 * 1024
/** Blocks whose messages are kept for the next proof: those who ask for one message of a block often ask for more. */
const keptBlocksMax = 4

export class ProofMaker {
  readonly #options: ProofMakerOptions
  readonly #kept = new Map<Height, readonly SequencedMessage[]>()

  constructor(options: ProofMakerOptions) {
    this.#options = options
  }

  /** Undefined: the message is not final. With its trie proof against the latest header's root, if that is asked for and
   *  the message's block is one that this root is of. */
  async finality(id: MessageId, { withTrie = false } = {}): Promise<FinalityProofJson | undefined> {
    const { store, sha256 } = this.#options
    const [place] = await store.messagePlaces([id])
    if (place === undefined) return undefined
    const [block, messages] = await Promise.all([this.#header(place.height), this.#messages(place.height)])
    const message = messages?.[place.index]?.message
    if (block === undefined || messages === undefined || message === undefined) return undefined
    const proof = { block, messages, index: place.index, sha256 }
    if (!withTrie) return makeFinalityProof(proof)
    const trie = await this.trie(keyOf(message.data, sha256))
    const isThere = trie !== undefined && trie !== 'too-old' && !('absent' in trie.proof)
    return makeFinalityProof(isThere ? { ...proof, trie } : proof)
  }

  /** Undefined: block `from` is not final, or is genesis. */
  async namespace(namespace: string, range: BlockRange): Promise<NamespaceProofJson | undefined> {
    const headers: Header[] = []
    const blocks: NamespaceBlockJson[] = []
    let readBytes = 0
    for (const header of await this.#headers(range)) {
      if (readBytes > maxReadBytes) break
      const messages = header.namespaceCount === 0 ? [] : await this.#messages(header.height)
      if (messages === undefined) break
      readBytes += messages.reduce((sum, { message }) => sum + message.data.length, 0)
      headers.push(header)
      blocks.push(namespaceBlock({ namespace, messages, sha256: this.#options.sha256 }))
    }
    const finalization = this.#finalizationOf(headers)
    if (finalization === undefined) return undefined
    return makeNamespaceProof(namespace, headers, finalization, blocks)
  }

  /** Against the root in the header at `height`, or the latest: that of the trie after the header's `stateHeight`.
   *  Undefined: there is no such block, or it is genesis. `too-old`: that trie is no longer kept. */
  async trie(key: Uint8Array, height?: Height): Promise<TrieProofJson | 'too-old' | undefined> {
    const { store, trie } = this.#options
    const block = await this.#header(height ?? store.tip.height)
    if (block === undefined) return undefined
    if (block.header.stateHeight < store.tip.height - provableRoots) return 'too-old'
    const path = await trie.path(key, block.header.stateHeight)
    // Blocks may have come while it was looked for.
    if (path === undefined) return 'too-old'
    const proof = inclusionOf(path, key, store.dataOf) ?? absenceOf(path, key, store.dataOf)
    return proof === undefined ? undefined : makeTrieProof(block, bytesToHex(key) as Hash, proof)
  }

  /** Undefined: block `from` is not final, or is genesis. */
  async headers(range: BlockRange): Promise<HeaderChainJson | undefined> {
    const headers = await this.#headers(range)
    const finalization = this.#finalizationOf(headers)
    return finalization === undefined ? undefined : makeHeaderChain(headers, finalization)
  }

  receipt(ids: readonly MessageId[]): ReceiptJson {
    const { store, clock, receiptSigner } = this.#options
    const body = { time: clock.nowMs(), finalHeight: store.tip.height, ids }
    return receiptJson(body, receiptSigner.node, receiptSigner.sign(encodeReceiptBody(body)))
  }

  async #header(height: Height): Promise<FinalHeader | undefined> {
    const headers = await this.#headers({ from: height, count: 1 })
    const [header] = headers
    const finalization = this.#finalizationOf(headers)
    return header === undefined || finalization === undefined ? undefined : { header, finalization }
  }

  async #headers({ from, count }: BlockRange): Promise<Header[]> {
    const { store } = this.#options
    const available = store.tip.height - from + 1
    if (from < 1 || available < 1) return []
    const found = await store.readHeaders(from, Math.min(count, available, maxHeadersPerReply))
    return found.map(({ header }) => header)
  }

  #finalizationOf(headers: readonly Header[]): Finalization | undefined {
    const last = headers.at(-1)
    return last === undefined ? undefined : this.#options.store.readFinalization(last.height)
  }

  async #messages(height: Height): Promise<readonly SequencedMessage[] | undefined> {
    const kept = this.#kept.get(height)
    if (kept !== undefined) return kept
    const messages = await this.#options.store.readMessages(height)
    if (messages === undefined) return undefined
    this.#kept.set(height, messages)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptBlocksMax) break
      this.#kept.delete(oldest)
    }
    return messages
  }
}
