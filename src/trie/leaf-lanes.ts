// Hashes leaves four at a time (crypto/native/sha256-lanes.ts). Not portable: for nodes, not for browsers.

import { blocksOf, createSha256Lanes, LANES, padInto, setPaddedLength } from '../crypto/native/index.ts'
import {
  HASH_BYTES,
  KEY_BITS,
  LEAF_DATA_AT,
  leafOf,
  setLeafData,
  setLeafKey,
  takeKeyOut,
} from './encoding.ts'
import { copyHash } from './page.ts'
import type { Hasher, LeafHasher } from './ports.ts'

const BLOCK_BYTES = 64
/** Of the longest leaf that has a lane, with 3,812 bytes of data. */
const BLOCKS_MAX = 64
/** What is hashed for the key is the leaf without as many zeros at the front as a key has bits: whole blocks. */
const KEY_FIRST_BLOCK = KEY_BITS / BLOCK_BYTES

/** Leaves of one number of blocks go together: fewer than four of them cost as much as four. Longer ones are hashed by
 *  `hash`, one after another. */
export function createLeafHasher(hash: Hasher): LeafHasher {
  const lanes = createSha256Lanes(BLOCKS_MAX)
  const { inputs, digests } = lanes
  /** By number of blocks, the places of the leaves that wait for others; empty between calls. */
  const waiting: number[][] = Array.from({ length: BLOCKS_MAX + 1 }, () => [])

  const hashTogether = (places: number[], blocks: number, [data, keys, hashes]: Parameters<LeafHasher>) => {
    const usedBytes = blocks * BLOCK_BYTES
    const eachLane = (write: (input: Uint8Array, place: number, lane: number) => void) => {
      for (let lane = 0; lane < places.length; lane += 1) {
        const [input, place] = [inputs[lane], places[lane]]
        if (input !== undefined && place !== undefined) write(input.subarray(0, usedBytes), place, lane)
      }
    }
    eachLane((input, place) => {
      const bytes = data[place] ?? new Uint8Array()
      takeKeyOut(input)
      setLeafData(input, bytes)
      padInto(input, LEAF_DATA_AT + bytes.length)
      setPaddedLength(input, LEAF_DATA_AT + bytes.length - KEY_BITS)
    })
    lanes.run(KEY_FIRST_BLOCK, blocks)
    eachLane((input, place, lane) => {
      copyHash(digests, lane * HASH_BYTES, keys, place * HASH_BYTES)
      setLeafKey(input, digests, lane * HASH_BYTES)
      setPaddedLength(input, LEAF_DATA_AT + (data[place]?.length ?? 0))
    })
    lanes.run(0, blocks)
    eachLane((_, place, lane) => copyHash(digests, lane * HASH_BYTES, hashes, place * HASH_BYTES))
    places.length = 0
  }

  return (data, keys, hashes) => {
    for (let place = 0; place < data.length; place += 1) {
      const bytes = data[place] ?? new Uint8Array()
      const blocks = blocksOf(LEAF_DATA_AT + bytes.length)
      const places = waiting[blocks]
      if (places === undefined) {
        const { key, leafHash } = leafOf(bytes, hash)
        copyHash(key, 0, keys, place * HASH_BYTES)
        copyHash(leafHash, 0, hashes, place * HASH_BYTES)
      } else {
        places.push(place)
        if (places.length === LANES) hashTogether(places, blocks, [data, keys, hashes])
      }
    }
    for (const [blocks, places] of waiting.entries())
      if (places.length > 0) hashTogether(places, blocks, [data, keys, hashes])
  }
}
