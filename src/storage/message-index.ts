// Where each message of the chain stands, by its id. Ids are spread evenly, so in one index each new entry would land
// somewhere else among all older ones, and LevelDB would sort all of them again and again: at a million messages that
// was a fifth of a node's work (docs/performance.md). So the index is in parts, each of the messages of some blocks in
// a row: what is sorted is one part, and a part that is full is left alone. Which part an id is in nobody knows; a Bloom
// filter for each part, in memory, says in which it can't be. Nearly every id that is asked for is in none: a message
// that is new. Owned by `ChainStore`, told of every block as it is written.
import type { MessageId } from '../types/index.ts'
import { corrupted } from './errors.ts'
import { describeKey } from './key-names.ts'
import type { KeyValueStore, WriteOperation } from './key-value.ts'
import { messageFilterKey, messagePlaceKey, ofLaterParts, placesOfPart } from './keys.ts'
import { decodeMessagePlace, encodeMessagePlace, type MessagePlace } from './records.ts'
import { putSealed, unseal } from './sealed.ts'

/** A part is full with the block that brings it to so many messages. A start reads the ids of the last part, which are
 *  fewer; each part has a filter of 192 KiB in memory, 1.5 bytes a message. */
export const defaultPartMessages = 2 ** 17

/** Bits of a filter for each message that a part has room for. With six for each id in one line of 512, six ids in a
 *  thousand are looked for in vain once a part is full, in each part. */
const bitsPerMessage = 12
const bitsPerId = 6
/** The bits of an id are all in one line, which is one look at memory. */
const lineBytes = 64
const lineBits = lineBytes * 8

/** Which messages a part may have. An id is a SHA-256 hash, so its own bytes choose its bits. Someone who searches for
 *  ids that share a line fills that line; a filter is only ever asked whether looking is in vain, so it costs looks. */
export class IdFilter {
  readonly bytes: Uint8Array

  /** @param bytes as they were before. @throws StorageError `corrupted` where they are of another size. */
  constructor(partMessages: number, bytes?: Uint8Array) {
    const size = filterBytes(partMessages)
    if (bytes !== undefined && bytes.length !== size)
      throw corrupted('message filter', `it has ${bytes.length} bytes where ${size} are due`)
    this.bytes = bytes ?? new Uint8Array(size)
  }

  add(place: IdBits): void {
    const { at, masks } = place
    for (let bit = 0; bit < bitsPerId; bit += 1) {
      const byte = at[bit] ?? 0
      this.bytes[byte] = (this.bytes[byte] ?? 0) | (masks[bit] ?? 0)
    }
  }

  /** False only of an id that was not added. */
  mayHave(place: IdBits): boolean {
    const { at, masks } = place
    for (let bit = 0; bit < bitsPerId; bit += 1) {
      if (((this.bytes[at[bit] ?? 0] ?? 0) & (masks[bit] ?? 0)) === 0) return false
    }
    return true
  }
}

/** Where the bits of one id are, in filters of one size. Written over with each id. */
export class IdBits {
  readonly at = new Uint32Array(bitsPerId)
  readonly masks = new Uint8Array(bitsPerId)
  readonly #lines: number
  readonly #start = Buffer.alloc(12)

  constructor(partMessages: number) {
    this.#lines = filterBytes(partMessages) / lineBytes
  }

  /** @throws RangeError unless it is in hex. */
  of(id: MessageId): this {
    if (this.#start.write(id, 0, 12, 'hex') !== 12) throw new RangeError('an id has 64 hex digits')
    return this.ofBytes(this.#start, 0)
  }

  /** Of the id that begins at `offset`. */
  ofBytes(bytes: Uint8Array, offset: number): this {
    const line = (wordAt(bytes, offset) % this.#lines) * lineBytes
    this.#choose(0, line, wordAt(bytes, offset + 4))
    this.#choose(bitsPerId / 2, line, wordAt(bytes, offset + 8))
    return this
  }

  /** Half of the bits, of 9 bits of `word` each. */
  #choose(first: number, line: number, word: number): void {
    for (let bit = 0; bit < bitsPerId / 2; bit += 1) {
      const position = (word >>> (9 * bit)) & (lineBits - 1)
      this.at[first + bit] = line + (position >>> 3)
      this.masks[first + bit] = 1 << (position & 7)
    }
  }
}

export class MessageIndex {
  readonly #store: KeyValueStore
  readonly #partMessages: number
  readonly #bits: IdBits
  /** Of all parts; the last one is not full. */
  readonly #filters: IdFilter[]
  /** Messages in the last part. */
  #count: number

  private constructor(
    store: KeyValueStore,
    { partMessages, filters, count }: { partMessages: number; filters: IdFilter[]; count: number },
  ) {
    this.#store = store
    this.#partMessages = partMessages
    this.#bits = new IdBits(partMessages)
    this.#filters = filters
    this.#count = count
  }

  /** Reads the filters, and the ids of the part that is not full.
   *  @param partMessages from 1 on; a store keeps the one that it began with.
   *  @throws StorageError `corrupted`. */
  static async open(store: KeyValueStore, partMessages = defaultPartMessages): Promise<MessageIndex> {
    const filters: IdFilter[] = []
    for (;;) {
      const key = messageFilterKey(filters.length)
      const sealed = store.get(key)
      if (sealed === undefined) break
      filters.push(new IdFilter(partMessages, unseal('message filter', key, sealed)))
    }
    await refuseLaterParts(store, filters.length)
    const last = await filterOfPart(store, { part: filters.length, partMessages })
    if (last.count >= partMessages)
      throw corrupted('message index', `part ${filters.length} is full, but has no filter`)
    return new MessageIndex(store, { partMessages, filters: [...filters, last.filter], count: last.count })
  }

  /** What a block's messages add, in sequence. To be followed by `added` once it is written. */
  *operationsFor(height: number, ids: readonly MessageId[]): Generator<WriteOperation, void> {
    const part = this.#filters.length - 1
    const filter = this.#filters[part]
    if (filter === undefined) throw new RangeError('an index has a part that is not full')
    let index = 0
    for (const id of ids) {
      filter.add(this.#bits.of(id))
      yield { type: 'put', key: messagePlaceKey(part, id), value: encodeMessagePlace({ height, index }) }
      index += 1
    }
    if (this.#isFullWith(ids.length)) yield putSealed(messageFilterKey(part), filter.bytes)
  }

  /** A block of so many messages is written. */
  added(messageCount: number): void {
    const isFull = this.#isFullWith(messageCount)
    this.#count = isFull ? 0 : this.#count + messageCount
    if (isFull) this.#filters.push(new IdFilter(this.#partMessages))
  }

  /** For each message its place in the chain, or undefined where it has none. */
  async find(ids: readonly MessageId[]): Promise<(MessagePlace | undefined)[]> {
    const keys: Uint8Array[] = []
    const idOfKey: number[] = []
    for (const [at, id] of ids.entries()) {
      const bits = this.#bits.of(id)
      for (let part = this.#filters.length - 1; part >= 0; part -= 1) {
        if (this.#filters[part]?.mayHave(bits) !== true) continue
        keys.push(messagePlaceKey(part, id))
        idOfKey.push(at)
      }
    }
    const places: (MessagePlace | undefined)[] = ids.map(() => undefined)
    for (const [at, bytes] of (await this.#store.getMany(keys)).entries()) {
      if (bytes !== undefined) places[idOfKey[at] ?? 0] = decodeMessagePlace(bytes)
    }
    return places
  }

  #isFullWith(messageCount: number): boolean {
    return this.#count + messageCount >= this.#partMessages
  }
}

/** The filter of a part as its entries say it, and how many there are. */
export async function filterOfPart(
  store: KeyValueStore,
  { part, partMessages }: { readonly part: number; readonly partMessages: number },
): Promise<{ readonly filter: IdFilter; readonly count: number }> {
  const filter = new IdFilter(partMessages)
  const bits = new IdBits(partMessages)
  let count = 0
  for await (const [key] of store.iterate(placesOfPart(part))) {
    filter.add(bits.ofBytes(key, key.length - 32))
    count += 1
  }
  return { filter, count }
}

/** A filter that is missing would hide all parts after its own. */
async function refuseLaterParts(store: KeyValueStore, part: number): Promise<void> {
  for (const range of ofLaterParts(part)) {
    for await (const [key] of store.iterate({ ...range, limit: 1 }))
      throw corrupted('message index', `there is ${describeKey(key)}, but no filter of part ${part}`)
  }
}

function filterBytes(partMessages: number): number {
  return Math.ceil((partMessages * bitsPerMessage) / lineBits) * lineBytes
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  const low = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
  return ((high << 16) | low) >>> 0
}
