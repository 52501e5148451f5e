// Holds a database against one that was made again from its blocks, key by key (`diseq check`). What follows from the
// blocks has to be in both and equal; what does not is in the first alone, and is held against its checksum, its key
// and its signatures. Every key is looked at; one of no known kind is reported.
import { decodeEvidence, type FrameContext } from '../codec/index.ts'
import type { Batch, Evidence, Height, MessageId } from '../types/index.ts'
import { StorageError } from './errors.ts'
import { type HeightFrame, openFrame, placeOf } from './frames.ts'
import { describeKey, kindOf } from './key-names.ts'
import type { KeyValueEntry, KeyValueStore } from './key-value.ts'
import {
  evidenceKey,
  frameKey,
  type KeyKind,
  metaKeys,
  numberOfRefusalOrderKey,
  poolBatchKey,
} from './keys.ts'
import { decodePeers } from './peers.ts'
import { decodeNumber, decodePoolBatch } from './records.ts'
import { readRefusal, readRefusalOrder } from './refusals.ts'
import { checksumFault, unseal } from './sealed.ts'
import { readStoredBatch } from './stored-block.ts'

export interface AuditOptions {
  readonly stored: KeyValueStore
  /** A `ChainStore`'s, after `saveFinal` of every block of `stored`, or of those below `haltedAt`. */
  readonly rebuilt: KeyValueStore
  /** The first height whose block could not be made again; absent where all could. What depends on it and the blocks
   *  above is not compared. */
  readonly haltedAt?: Height
  readonly context: FrameContext
  /** Why the signatures of something do not hold; undefined where they do. */
  readonly signatures: {
    faultOfBatch(batch: Batch): string | undefined
    faultOfFrame(frame: HeightFrame): string | undefined
    faultOfEvidence(evidence: Evidence): string | undefined
  }
  /** Called with a sentence for each: the key's kind and place, and what is wrong. */
  readonly onProblem: (problem: string) => void
}

/** One key of either store, or of both. */
interface JoinedEntry {
  readonly key: Uint8Array
  readonly stored: Uint8Array | undefined
  readonly rebuilt: Uint8Array | undefined
}

/** Keys are at most 49 bytes long. */
const allKeys = { gte: Uint8Array.of(0), lt: new Uint8Array(64).fill(0xff) }
const derivedMeta: readonly Uint8Array[] = [metaKeys.format, metaKeys.genesis, metaKeys.tip]

/** Looks at every key once, in their order, holding a few at a time. @throws StorageError where a store fails. */
export async function auditStore(options: AuditOptions): Promise<void> {
  const audit = new Audit(options)
  for await (const entry of joined(options.stored, options.rebuilt)) audit.look(entry)
}

class Audit {
  readonly #options: AuditOptions
  /** Of the entry in the order of refusals before this one. */
  #lastRefusal: number | undefined

  constructor(options: AuditOptions) {
    this.#options = options
  }

  look(entry: JoinedEntry): void {
    const { key, stored } = entry
    const fault = this.#faultOf(entry, kindOf(key))
    if (fault !== undefined) this.#options.onProblem(`${describeKey(key)}: ${fault}`)
    // After the fault: a damaged entry keeps its place in the order.
    if (stored !== undefined && kindOf(key) === 'refusalOrder')
      this.#lastRefusal = numberOfRefusalOrderKey(key)
  }

  #faultOf(entry: JoinedEntry, kind: KeyKind | undefined): string | undefined {
    const { key, stored } = entry
    switch (kind) {
      case undefined:
        return 'this version of diseq writes no such key'
      case 'poolBatch':
      case 'frame':
      case 'evidence':
      case 'refusal':
      case 'refusalOrder':
        return stored === undefined ? undefined : this.#faultOfSealed(kind, key, stored)
      case 'meta': {
        if (isEqual(metaKeys.trieCheckpoint, key))
          return stored === undefined ? undefined : checksumFault(key, stored)
        if (derivedMeta.some((derived) => isEqual(derived, key))) return this.#faultOfDerived(kind, entry)
        return stored === undefined ? undefined : this.#faultOfSealed(kind, key, stored)
      }
      default:
        return this.#faultOfDerived(kind, entry)
    }
  }

  #faultOfDerived(kind: KeyKind, entry: JoinedEntry): string | undefined {
    const { stored, rebuilt } = entry
    if (!this.#isComparable(kind, entry)) return undefined
    if (stored === undefined) return 'missing'
    if (rebuilt === undefined) return 'not of this chain'
    return isEqual(stored, rebuilt) ? undefined : describeChange(stored, rebuilt)
  }

  /** Where the rebuilding halted, only what the blocks below say for themselves can be compared. */
  #isComparable(kind: KeyKind, { key, stored, rebuilt }: JoinedEntry): boolean {
    const { haltedAt } = this.#options
    if (haltedAt === undefined) return true
    switch (kind) {
      case 'blockHead':
      case 'blockBatch':
      case 'header':
      case 'spans':
      case 'skipped':
        return heightIn(key.subarray(1)) < haltedAt
      case 'batchPlace':
      case 'blockHeight':
      case 'messagePlace':
      case 'conviction':
        // Their values begin with the height.
        return rebuilt !== undefined || (stored !== undefined && heightIn(stored) < haltedAt)
      case 'messageFilter':
        return rebuilt !== undefined
      case 'meta':
        return !isEqual(key, metaKeys.tip)
      default:
        return false
    }
  }

  #faultOfSealed(kind: KeyKind, key: Uint8Array, sealed: Uint8Array): string | undefined {
    const fault = checksumFault(key, sealed)
    if (fault !== undefined) return fault
    try {
      return this.#faultOfValue(kind, key, sealed)
    } catch (error) {
      if (isCorruption(error)) return error.message
      throw error
    }
  }

  /** Of a value whose checksum holds. */
  #faultOfValue(kind: KeyKind, key: Uint8Array, sealed: Uint8Array): string | undefined {
    const { context, signatures } = this.#options
    const value = unseal(kind, key, sealed)
    switch (kind) {
      case 'poolBatch': {
        const batch = readStoredBatch(decodePoolBatch(value).batch, context)
        if (!batch.ok) return batch.reason
        return faultOfKey(key, poolBatchKey(batch.value.id)) ?? signatures.faultOfBatch(batch.value)
      }
      case 'frame': {
        const frame = openFrame(key, sealed, context)
        return faultOfKey(key, frameKey(placeOf(frame))) ?? signatures.faultOfFrame(frame)
      }
      case 'evidence': {
        const evidence = decodeEvidence(value)
        if (!evidence.ok) return evidence.reason
        const { validator, height } = evidence.value
        return faultOfKey(key, evidenceKey(validator, height)) ?? signatures.faultOfEvidence(evidence.value)
      }
      case 'refusal':
        return this.#faultOfRefusal(key)
      case 'refusalOrder':
        return this.#faultOfRefusalOrder(key)
      default:
        if (isEqual(key, metaKeys.peers)) decodePeers(value)
        else decodeNumber(value, 'signing number')
        return undefined
    }
  }

  #faultOfRefusal(key: Uint8Array): string | undefined {
    const { stored } = this.#options
    const id = Buffer.from(key.subarray(1)).toString('hex') as MessageId
    const refusal = readRefusal(stored, id)
    if (refusal === undefined) return 'missing'
    const listed = unlessDamaged(() => readRefusalOrder(stored, refusal.number))
    return listed === id || listed === 'damaged' ? undefined : 'missing from the order of refusals'
  }

  #faultOfRefusalOrder(key: Uint8Array): string | undefined {
    const { stored } = this.#options
    const number = numberOfRefusalOrderKey(key)
    if (this.#lastRefusal !== undefined && number !== this.#lastRefusal + 1)
      return `follows number ${this.#lastRefusal}: what was between is missing`
    const id = readRefusalOrder(stored, number)
    const refusal = id === undefined ? undefined : unlessDamaged(() => readRefusal(stored, id))
    if (refusal === 'damaged') return undefined
    // Higher where the message was refused again since.
    return refusal !== undefined && refusal.number >= number ? undefined : 'its refusal is missing'
  }
}

async function* joined(stored: KeyValueStore, rebuilt: KeyValueStore): AsyncGenerator<JoinedEntry, void> {
  const left = stored.iterate(allKeys)[Symbol.asyncIterator]()
  const right = rebuilt.iterate(allKeys)[Symbol.asyncIterator]()
  try {
    let [a, b] = [await nextOf(left), await nextOf(right)]
    while (a !== undefined || b !== undefined) {
      const order = compareEntries(a, b)
      const key = (order <= 0 ? a : b)?.[0] ?? new Uint8Array()
      yield { key, stored: order <= 0 ? a?.[1] : undefined, rebuilt: order >= 0 ? b?.[1] : undefined }
      if (order <= 0) a = await nextOf(left)
      if (order >= 0) b = await nextOf(right)
    }
  } finally {
    await left.return?.()
    await right.return?.()
  }
}

async function nextOf(entries: AsyncIterator<KeyValueEntry>): Promise<KeyValueEntry | undefined> {
  const next = await entries.next()
  return next.done === true ? undefined : next.value
}

/** The end comes after every key. */
function compareEntries(a: KeyValueEntry | undefined, b: KeyValueEntry | undefined): number {
  if (a === undefined) return 1
  return b === undefined ? -1 : Buffer.compare(a[0], b[0])
}

function faultOfKey(key: Uint8Array, due: Uint8Array): string | undefined {
  return isEqual(key, due) ? undefined : `what it holds belongs to ${describeKey(due)}`
}

/** A damaged value is reported under its own key, not once more under what refers to it. */
function unlessDamaged<T>(read: () => T): T | 'damaged' {
  try {
    return read()
  } catch (error) {
    if (isCorruption(error)) return 'damaged'
    throw error
  }
}

function isCorruption(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code === 'corrupted'
}

function describeChange(stored: Uint8Array, rebuilt: Uint8Array): string {
  if (stored.length !== rebuilt.length)
    return `changed: it has ${stored.length} bytes where ${rebuilt.length} are due`
  return `changed: byte ${stored.findIndex((byte, at) => byte !== rebuilt[at])} of ${stored.length}`
}

/** The u64 that key fields or a value begin with; 0 where they are too short for one. */
function heightIn(bytes: Uint8Array): number {
  return bytes.length < 8 ? 0 : Number(Buffer.from(bytes).readBigUInt64BE(0))
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
