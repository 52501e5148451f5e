// The leaves that come with a block, as columns. All of them live until the last branch above them is hashed; as objects,
// with two arrays of their own each, they filled the space for young objects and were carried into the old one.

import { HASH_BYTES, LeafHashing } from './encoding.ts'
import { copyHash } from './page.ts'
import type { Hasher, LeafReference } from './ports.ts'

export interface NewLeaf {
  readonly key: Uint8Array
  readonly leafHash: Uint8Array
  readonly reference: LeafReference
}

export class LeafGroup {
  readonly count: number
  /** 32 bytes a leaf. */
  readonly keys: Uint8Array
  readonly hashes: Uint8Array
  readonly #heights: Float64Array
  readonly #indexes: Uint32Array

  private constructor(count: number) {
    this.count = count
    this.keys = new Uint8Array(count * HASH_BYTES)
    this.hashes = new Uint8Array(count * HASH_BYTES)
    this.#heights = new Float64Array(count)
    this.#indexes = new Uint32Array(count)
  }

  /** The leaves of the data of a block's messages, in sequence. */
  static ofBlock(height: number, data: readonly Uint8Array[], hash: Hasher): LeafGroup {
    const group = new LeafGroup(data.length)
    const hashing = new LeafHashing(hash)
    group.#heights.fill(height)
    let index = 0
    for (const bytes of data) {
      const { key, leafHash } = hashing.leafOf(bytes)
      copyHash(key, 0, group.keys, index * HASH_BYTES)
      copyHash(leafHash, 0, group.hashes, index * HASH_BYTES)
      group.#indexes[index] = index
      index += 1
    }
    return group
  }

  /** Throws `RangeError` for a key or leaf hash that is not 32 bytes. */
  static of(leaves: readonly NewLeaf[]): LeafGroup {
    const group = new LeafGroup(leaves.length)
    for (const [at, { key, leafHash, reference }] of leaves.entries()) {
      if (key.length !== HASH_BYTES || leafHash.length !== HASH_BYTES)
        throw new RangeError('the key and the hash of a leaf have 32 bytes each')
      copyHash(key, 0, group.keys, at * HASH_BYTES)
      copyHash(leafHash, 0, group.hashes, at * HASH_BYTES)
      group.#heights[at] = reference.height
      group.#indexes[at] = reference.index
    }
    return group
  }

  /** Height of the message that brings leaf `at`. @throws RangeError where there is no such leaf. */
  heightAt(at: number): number {
    const height = this.#heights[at]
    if (height === undefined) throw new RangeError(`no leaf ${at} in a group of ${this.count}`)
    return height
  }

  /** Its position in that block's sequence. @throws RangeError where there is no such leaf. */
  indexAt(at: number): number {
    const index = this.#indexes[at]
    if (index === undefined) throw new RangeError(`no leaf ${at} in a group of ${this.count}`)
    return index
  }

  /** By key, each key once: of equal ones the first given. */
  sorted(): LeafGroup {
    const ranks = Float64Array.from({ length: this.count }, (_, at) => this.#rank(at))
    const order = Uint32Array.from({ length: this.count }, (_, at) => at)
    order.sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0) || this.#compare(a, b) || a - b)
    const chosen = order.filter((at, place) => place === 0 || this.#compare(order[place - 1] ?? 0, at) !== 0)
    const sorted = new LeafGroup(chosen.length)
    for (let place = 0; place < chosen.length; place += 1) {
      const at = chosen[place] ?? 0
      copyHash(this.keys, at * HASH_BYTES, sorted.keys, place * HASH_BYTES)
      copyHash(this.hashes, at * HASH_BYTES, sorted.hashes, place * HASH_BYTES)
      sorted.#heights[place] = this.#heights[at] ?? 0
      sorted.#indexes[place] = this.#indexes[at] ?? 0
    }
    return sorted
  }

  /** The first six bytes of a key: they tell nearly all keys apart, and one number is compared faster than bytes. */
  #rank(at: number): number {
    let rank = 0
    for (let byte = 0; byte < 6; byte += 1) rank = rank * 256 + (this.keys[at * HASH_BYTES + byte] ?? 0)
    return rank
  }

  #compare(a: number, b: number): number {
    for (let byte = 0; byte < HASH_BYTES; byte += 1) {
      const difference = (this.keys[a * HASH_BYTES + byte] ?? 0) - (this.keys[b * HASH_BYTES + byte] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  }
}
