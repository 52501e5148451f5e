// The trie as it was after an earlier block, made out of the one of now: a leaf names the block that brought it, so the
// older trie is that of the leaves that are not newer. To make all of it again would cost as much as what has come
// since; so the hashes of its 256 parts, by the first byte of the key, are noted with every block that changes them,
// and only the part that a proof leads into is made again.

import { entryOf, PageBuilder, sideOf } from './building.ts'
import { bitOf, HASH_BYTES, KEY_BITS } from './encoding.ts'
import { rootOf } from './insert.ts'
import type { Entry } from './page.ts'
import type { TriePages } from './pages.ts'
import { EMPTY_TRIE, type TrieRoot, type TrieSide } from './root.ts'

const BUCKET_BITS = 8
const BUCKETS = 2 ** BUCKET_BITS

/** Hashes of parts before a block changed them; null where a part was empty. */
interface Note {
  readonly height: number
  readonly before: ReadonlyMap<number, Uint8Array | null>
}

export class PastTries {
  readonly #pages: TriePages
  readonly #blocksMax: number
  /** Of consecutive blocks, the latest last. */
  readonly #notes: Note[] = []
  /** Of tries that were made from their leaves for want of notes. */
  readonly #remade = new Map<number, ReadonlyMap<number, Uint8Array | null>>()

  /** @param blocksMax how many blocks back a trie can be asked for. */
  constructor(pages: TriePages, blocksMax: number) {
    this.#pages = pages
    this.#blocksMax = blocksMax
  }

  /** A block became final. @param before the trie without it. @param changedBuckets first bytes of the keys it added. */
  note(height: number, before: TrieRoot, changedBuckets: readonly number[]): void {
    const hashes = new Map(
      changedBuckets.map((bucket) => [bucket, hashOf(partOf(before, bucket, this.#pages))]),
    )
    this.#notes.push({ height, before: hashes })
    // Until the block is in the store, askers count from the one before.
    const oldest = height - 1 - this.#blocksMax
    if (this.#notes.length > this.#blocksMax + 1) this.#notes.shift()
    for (const each of this.#remade.keys()) if (each < oldest) this.#remade.delete(each)
  }

  /**
   * The trie after block `height`: good for proofs of `key` and of no other.
   * @param latest the trie of now, after `latestHeight`.
   */
  at(height: number, key: Uint8Array, latest: TrieRoot, latestHeight: number): TrieRoot {
    if (height === latestHeight) return latest
    const builder = new PageBuilder(this.#pages)
    const entries: Entry[] = []
    const hashes = this.#hashesAt(height, latest)
    const bucket = bucketOnPath(key, hashes)
    for (let each = 0; each < BUCKETS; each += 1) {
      if (each === bucket) {
        const part = builder.join(this.#filtered(partOf(latest, each, this.#pages).entries, height, builder))
        if (part !== undefined) entries.push({ ...part, isChanged: true })
        continue
      }
      const hash = hashes.get(each) ?? null
      if (hash !== null) entries.push(closedEntry(each, hash))
    }
    const split = entries.findIndex(({ keyIn, keyAt }) => (keyIn[keyAt] ?? 0) >= BUCKETS / 2)
    const middle = split < 0 ? entries.length : split
    const [left, right] = [builder.join(entries.slice(0, middle)), builder.join(entries.slice(middle))]
    builder.hash()
    if (left === undefined && right === undefined) return EMPTY_TRIE
    const toSide = (entry: Entry | undefined): TrieSide | null => (entry === undefined ? null : sideOf(entry))
    return rootOf(toSide(left), toSide(right), this.#pages)
  }

  /** Of each part after block `height`, from the notes of the blocks above; where they do not reach so far back, after
   *  a restart, from the leaves. */
  #hashesAt(height: number, latest: TrieRoot): ReadonlyMap<number, Uint8Array | null> {
    const hashes = new Map<number, Uint8Array | null>()
    const oldest = this.#notes[0]
    const isNoted = oldest !== undefined && oldest.height <= height + 1
    if (!isNoted) return this.#remadeAt(height, latest)
    for (let bucket = 0; bucket < BUCKETS; bucket += 1)
      hashes.set(bucket, hashOf(partOf(latest, bucket, this.#pages)))
    // From the latest block down: what the earliest block above `height` found is what was there.
    for (const note of this.#notes.toReversed()) {
      if (note.height <= height) break
      for (const [bucket, hash] of note.before) hashes.set(bucket, hash)
    }
    return hashes
  }

  #remadeAt(height: number, latest: TrieRoot): ReadonlyMap<number, Uint8Array | null> {
    const known = this.#remade.get(height)
    if (known !== undefined) return known
    const hashes = new Map<number, Uint8Array | null>()
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const builder = new PageBuilder(this.#pages)
      const { entries } = partOf(latest, bucket, this.#pages)
      const part = builder.join(this.#filtered(entries, height, builder))
      builder.hash()
      hashes.set(bucket, part === undefined ? null : sideOf(part).hash)
    }
    this.#remade.set(height, hashes)
    return hashes
  }

  /** The entries without the leaves that later blocks brought. */
  #filtered(entries: readonly Entry[], height: number, builder: PageBuilder): Entry[] {
    if (entries.every(({ newest }) => newest <= height)) return [...entries]
    const kept: Entry[] = []
    let isNeighbourGone = false
    for (const entry of entries) {
      const left = entry.newest <= height ? entry : this.#older(entry, height, builder)
      if (left === undefined) {
        const before = kept.pop()
        if (before !== undefined) kept.push({ ...before, isChanged: true })
      } else {
        kept.push(isNeighbourGone && !left.isChanged ? { ...left, isChanged: true } : left)
      }
      isNeighbourGone = left === undefined
    }
    return kept
  }

  #older(entry: Entry, height: number, builder: PageBuilder): Entry | undefined {
    if (entry.below === undefined) return undefined
    const page = this.#pages.load(entry.below)
    const entries = Array.from({ length: page.count }, (_, at) => page.entry(at))
    const left = builder.join(this.#filtered(entries, height, builder))
    return left === undefined ? undefined : { ...left, isChanged: true }
  }
}

/** The part in which a walk along the bits of `key` ends, which is another than its own where that is empty; undefined
 *  on an empty side. */
function bucketOnPath(key: Uint8Array, hashes: ReadonlyMap<number, Uint8Array | null>): number | undefined {
  let candidates = [...hashes].flatMap(([bucket, hash]) => (hash === null ? [] : [bucket]))
  for (let bit = 0; bit < BUCKET_BITS; bit += 1) {
    const shift = BUCKET_BITS - 1 - bit
    const onPath = candidates.filter((bucket) => ((bucket >> shift) & 1) === bitOf(key, bit))
    // A branch has something on either side; the root may not.
    if (bit === 0 || onPath.length > 0) candidates = onPath
  }
  return candidates[0]
}

/** The leaves whose key begins with one byte: entries that ascend, and the hash of their node. */
interface Part {
  readonly entries: readonly Entry[]
  readonly hash: Uint8Array | null
}

const EMPTY_PART: Part = { entries: [], hash: null }

function hashOf(part: Part): Uint8Array | null {
  return part.hash
}

function partOf(root: TrieRoot, bucket: number, pages: TriePages): Part {
  const side = bucket < BUCKETS / 2 ? root.left : root.right
  if (side === null) return EMPTY_PART
  let entry = entryOf(side)
  // Each page is at a greater bit than the one before.
  for (;;) {
    if (entry.bit >= BUCKET_BITS || entry.below === undefined) {
      const hash = entry.hashIn.slice(entry.hashAt, entry.hashAt + HASH_BYTES)
      return entry.keyIn[entry.keyAt] === bucket ? { entries: [entry], hash } : EMPTY_PART
    }
    const page = pages.load(entry.below)
    let [start, end] = [0, page.count]
    while (end - start > 1) {
      const split = page.splitOf(start, end)
      const bit = page.gap(split)
      if (bit >= BUCKET_BITS) break
      if (((bucket >> (BUCKET_BITS - 1 - bit)) & 1) === 0) end = split
      else start = split
    }
    entry = page.entry(start)
    if (end - start === 1) continue
    if (entry.keyIn[entry.keyAt] !== bucket) return EMPTY_PART
    const entries = Array.from({ length: end - start }, (_, at) => page.entry(start + at))
    return { entries, hash: page.hashOf(start, end) }
  }
}

/** A part that no proof leads into. */
function closedEntry(bucket: number, hash: Uint8Array): Entry {
  const key = new Uint8Array(HASH_BYTES)
  key[0] = bucket
  return {
    keyIn: key,
    keyAt: 0,
    hashIn: hash,
    hashAt: 0,
    branchIn: undefined,
    branchAt: 0,
    newest: 0,
    index: 0,
    bit: KEY_BITS,
    below: undefined,
    isChanged: true,
    level: 0,
  }
}
