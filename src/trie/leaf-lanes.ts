// Hashes leaves four at a time (crypto/native/sha256-lanes.ts). Not portable: for nodes, not for browsers.

import {
  blocksOf,
  createSha256Lanes,
  LANES,
  padInto,
  SHA256_BLOCK_BYTES,
  setPaddedLength,
} from '../crypto/native/index.ts'
import {
  HASH_BYTES,
  KEY_BITS,
  LEAF_DATA_AT,
  LeafHashing,
  setLeafData,
  setLeafKey,
  takeKeyOut,
} from './encoding.ts'
import { copyHash } from './page.ts'
import type { Hasher, LeafHasher } from './ports.ts'

/** Leaves of up to 484 bytes of data. Where the processor has instructions for SHA-256, Node's hash is the faster one from
 *  about there on (measured); what it costs to call is no longer the most of it. */
const BLOCKS_MAX = 12
/** What is hashed for the key is the leaf without as many zeros at the front as a key has bits: whole blocks. */
const KEY_FIRST_BLOCK = KEY_BITS / SHA256_BLOCK_BYTES

interface Leaves {
  readonly data: readonly Uint8Array[]
  readonly keys: Uint8Array
  readonly hashes: Uint8Array
}

/** Four leaves of one number of blocks go together; those left over, and longer ones, go through `hash`. */
export function createLeafHasher(hash: Hasher): LeafHasher {
  const { inputs, digests, run } = createSha256Lanes(BLOCKS_MAX)
  const alone = new LeafHashing(hash)

  const hashAlone = (place: number, { data, keys, hashes }: Leaves) => {
    const { key, leafHash } = alone.leafOf(dataAt(data, place))
    copyHash(key, 0, keys, place * HASH_BYTES)
    copyHash(leafHash, 0, hashes, place * HASH_BYTES)
  }
  const hashFour = (places: readonly number[], blocks: number, { data, keys, hashes }: Leaves) => {
    const lanes = inputs.map((input, lane) => {
      const place = places[lane] ?? 0
      const bytes = dataAt(data, place)
      const leafBytes = LEAF_DATA_AT + bytes.length
      return {
        input: input.subarray(0, blocks * SHA256_BLOCK_BYTES),
        bytes,
        leafBytes,
        at: place * HASH_BYTES,
      }
    })
    for (const { input, bytes, leafBytes } of lanes) {
      takeKeyOut(input)
      setLeafData(input, bytes)
      padInto(input, leafBytes)
      setPaddedLength(input, leafBytes - KEY_BITS)
    }
    run(KEY_FIRST_BLOCK, blocks)
    for (const [lane, { input, leafBytes, at }] of lanes.entries()) {
      copyHash(digests, lane * HASH_BYTES, keys, at)
      setLeafKey(input, digests, lane * HASH_BYTES)
      setPaddedLength(input, leafBytes)
    }
    run(0, blocks)
    for (const [lane, { at }] of lanes.entries()) copyHash(digests, lane * HASH_BYTES, hashes, at)
  }

  return (data, keys, hashes) => {
    const leaves = { data, keys, hashes }
    /** By number of blocks, the places of fewer than four that wait for others. */
    const waiting = new Map<number, number[]>()
    for (let place = 0; place < data.length; place += 1) {
      const blocks = blocksOf(LEAF_DATA_AT + dataAt(data, place).length)
      if (blocks > BLOCKS_MAX) {
        hashAlone(place, leaves)
        continue
      }
      const places = waiting.get(blocks) ?? []
      places.push(place)
      waiting.set(blocks, places)
      if (places.length < LANES) continue
      hashFour(places, blocks, leaves)
      places.length = 0
    }
    for (const places of waiting.values()) for (const place of places) hashAlone(place, leaves)
  }
}

function dataAt(data: readonly Uint8Array[], place: number): Uint8Array {
  const bytes = data[place]
  if (bytes === undefined) throw new RangeError(`there is no leaf ${place}`)
  return bytes
}
