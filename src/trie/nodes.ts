// Nodes in memory, loaded when they are first looked at and let go again when too many are held. A trie is a value:
// what a `TrieRoot` or `NodeRef` stands for never changes, only how much of it happens to be in memory.

import { TrieError } from './errors.ts'
import type { Hasher, LeafReference, TrieNodeSource } from './ports.ts'
import { readChildRecord } from './records.ts'

export interface BranchNode {
  readonly kind: 'branch'
  /** 1 to 255, greater than that of every branch above: the first bit in which the leaves below differ. */
  readonly bit: number
  readonly left: NodeRef
  readonly right: NodeRef
}
export interface LeafNode {
  readonly kind: 'leaf'
  readonly key: Uint8Array
  readonly reference: LeafReference
}
export type TrieNode = BranchNode | LeafNode

/** A branch or leaf by its hash. The other two fields are `TrieNodes`' own. */
export interface NodeRef {
  readonly hash: Uint8Array
  loaded: TrieNode | undefined
  recentlyUsed: boolean
}

/** Half a kilobyte each, all told (measured): 25 MB. At 100,000 messages two to three records are read a message. */
const DEFAULT_CACHED_NODES_MAX = 50_000

export interface TrieNodesOptions {
  readonly source: TrieNodeSource
  readonly hash: Hasher
  /** How many nodes stay in memory between calls, at least 1; 50,000 if not given. */
  readonly cachedNodesMax?: number
}

/** The way from a reference to its node: memory, else the source. One per source, shared by all roots in it. */
export class TrieNodes {
  readonly hash: Hasher
  readonly #source: TrieNodeSource
  readonly #cachedNodesMax: number
  /** Every reference whose node is in memory, once each, as the ring of a clock: a node that was used since the hand
   *  last passed stays for another round. Close to least-recently-used, and a use costs one assignment. */
  readonly #ring: NodeRef[] = []
  #hand = 0

  constructor({ source, hash, cachedNodesMax = DEFAULT_CACHED_NODES_MAX }: TrieNodesOptions) {
    if (!Number.isInteger(cachedNodesMax) || cachedNodesMax < 1) {
      throw new RangeError(`cachedNodesMax has to be a whole number from 1 on, not ${cachedNodesMax}`)
    }
    this.#source = source
    this.hash = hash
    this.#cachedNodesMax = cachedNodesMax
  }

  /** The node that `ref` names. Throws `TrieError` where the source lacks it or holds something else. */
  load(ref: NodeRef): TrieNode {
    ref.recentlyUsed = true
    if (ref.loaded !== undefined) return ref.loaded
    const read = readChildRecord(this.readRecord(ref.hash))
    const node: TrieNode =
      read.kind === 'leaf' ? read : { ...read, left: refTo(read.left), right: refTo(read.right) }
    this.#hold(ref, node)
    return node
  }

  /** A reference to a node just made. It stays readable from memory for a while; then the source has to have it. */
  add(hash: Uint8Array, node: TrieNode): NodeRef {
    const ref = refTo(hash)
    this.#hold(ref, node)
    return ref
  }

  /** The record under `hash`. Throws `TrieError` (`missing-node`) where there is none. */
  readRecord(hash: Uint8Array): Uint8Array {
    const record = this.#source.get(hash)
    if (record === undefined) throw new TrieError({ code: 'missing-node', hash })
    return record
  }

  #hold(ref: NodeRef, node: TrieNode): void {
    ref.loaded = node
    if (this.#ring.length < this.#cachedNodesMax) {
      this.#ring.push(ref)
      return
    }
    // At most one round: whatever it passes can be let go the next time.
    let oldest = this.#ring[this.#hand]
    while (oldest?.recentlyUsed === true) {
      oldest.recentlyUsed = false
      this.#hand = (this.#hand + 1) % this.#ring.length
      oldest = this.#ring[this.#hand]
    }
    if (oldest !== undefined) oldest.loaded = undefined
    this.#ring[this.#hand] = ref
    this.#hand = (this.#hand + 1) % this.#ring.length
  }
}

/** A reference by hash alone. */
export function refTo(hash: Uint8Array): NodeRef {
  return { hash, loaded: undefined, recentlyUsed: false }
}
