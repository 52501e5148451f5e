// The record of what this validator signed, apart from the database: the last guard against signing two things that
// contradict each other, whatever crash, restored backup or bug comes before it. Every signature of the voting key is
// made here, after its line is certain to be allowed and before anything can be sent.
//
// The order of a step (protocol §3, "on disk, synced, before it is on the wire"): save what the signature rests on
// (`ChainStore.saveStep`: a commitment's batches, a vote's block), `signAll`, note the number that it gave
// (`ChainStore.noteSigningNumber`), send.
import type { SignedKind } from '../types/index.ts'
import type { RecordFile } from './record-file.ts'
import {
  decodeRecord,
  encodeEntries,
  encodeRecord,
  exportText,
  type RecordContent,
  type RecordOwner,
  readExport,
} from './signing-lines.ts'
import { type RecordedSignature, SignedState, SigningRefused, type SigningRequest } from './signing-rules.ts'

export interface SigningRecordOptions extends RecordOwner {
  readonly file: RecordFile
  /** The voting key's signature over the signing domain of `kind` and these bytes. */
  readonly sign: (kind: SignedKind, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>
  /** The file is written anew when it is larger than this, and than four times what is kept. */
  readonly compactAboveBytes?: number
}

const defaultCompactAboveBytes = 256 * 1024

export class SigningRecord {
  readonly #options: SigningRecordOptions
  #content: RecordContent
  #sizeBytes: number
  #compactAboveBytes: number
  #isMissing: boolean
  /** Set by a write that failed: it may or may not be on disk. */
  #failure: unknown
  /** Calls wait for one another: each is checked against all that were recorded before it. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: SigningRecordOptions, content: RecordContent, file: Uint8Array | undefined) {
    this.#options = options
    this.#content = content
    this.#sizeBytes = file?.length ?? 0
    this.#compactAboveBytes = options.compactAboveBytes ?? defaultCompactAboveBytes
    this.#isMissing = file === undefined
  }

  /**
   * Reads the record, dropping an append that a crash cut short. Where there is none it begins an empty one, on disk
   * with the first signature. Compare it with the database (`checkAgainstDatabase`) before anything is signed.
   * Throws `StorageError`: `record-corrupted`, `record-of-another`, `format-too-new`, `read-failed`, `write-failed`.
   */
  static async open(options: SigningRecordOptions): Promise<SigningRecord> {
    const file = await options.file.read()
    if (file === undefined) {
      const empty = { state: new SignedState(), number: 0, awaitsFloor: false }
      return new SigningRecord(options, empty, undefined)
    }
    const { tornBytes, lines: _, ...content } = decodeRecord(options, file)
    const whole = file.subarray(0, file.length - tornBytes)
    if (tornBytes > 0) await options.file.replace(whole)
    return new SigningRecord(options, content, whole)
  }

  /** The highest running number, 0 before the first signature. */
  get number(): number {
    return this.#content.number
  }

  /** Whether there is no record on disk yet. */
  get isMissing(): boolean {
    return this.#isMissing
  }

  /** Whether nothing is signed until `setSignFrom` is called. */
  get imported(): boolean {
    return this.#content.awaitsFloor
  }

  /** Nothing is signed at heights below. */
  get signFrom(): number {
    return this.#content.state.signFrom
  }

  /** What was signed for the heights under way, ascending by number: the votes and proposals of the highest height
   *  voted at, the last two pool commitments. To be sent again after a restart. */
  entries(): RecordedSignature[] {
    return this.#content.state.entries()
  }

  /**
   * Signs all of the requests or none. Durable when it resolves, and not to be sent before. Bytes that are recorded
   * get their signature of before. `number` is the running number to note in the database.
   * Throws `SigningRefused` where a rule forbids one of them, `StorageError` where the record could not be written:
   * then nothing more is signed, and the node has to stop.
   */
  signAll(requests: readonly SigningRequest[]): Promise<{ signatures: Uint8Array[]; number: number }> {
    return this.#inTurn(() => this.#signAll(requests))
  }

  /** All of it as JSON text, to be imported where the key moves to. */
  exportRecord(): string {
    return exportText(this.#options, this.#content)
  }

  /**
   * Takes in an exported record, keeping the stricter of both in everything. From then on nothing is signed until
   * `setSignFrom`: the export may be older than the last signature.
   * @param databaseNumber the database's number, where there is one: the record's is raised to it.
   * Throws `StorageError`: `record-unreadable`, `record-of-another`, `format-too-new`, `write-failed`.
   */
  importRecord(text: string, databaseNumber = 0): Promise<void> {
    return this.#inTurn(async () => {
      const imported = readExport(this.#options, text)
      const { state } = imported
      const own = this.#content.state
      state.raise(own)
      // After the imported ones: where both have one, the own stays.
      for (const entry of own.entries()) state.add(entry)
      const number = Math.max(this.#content.number, imported.number, databaseNumber)
      await this.#replace({ state, number, awaitsFloor: true })
    })
  }

  /** For a record that is lost without an export: goes on with what there is, and signs nothing until `setSignFrom`. */
  startOver(databaseNumber: number): Promise<void> {
    return this.#inTurn(async () => {
      const { state, number } = this.#content
      await this.#replace({ state, number: Math.max(number, databaseNumber), awaitsFloor: true })
    })
  }

  /** Signs from `height` on, and never again below; durable when it resolves. A floor that is there is only raised.
   *  @param height from 1 on: three above the highest that others of a quorum's power work on (protocol §3). */
  setSignFrom(height: number): Promise<void> {
    if (!Number.isSafeInteger(height) || height < 1)
      throw new RangeError(`${height} is not a height from 1 on`)
    return this.#inTurn(async () => {
      const state = this.#content.state.clone()
      state.raise({ commitmentHeight: -1, voteHeight: -1, signFrom: height })
      await this.#replace({ ...this.#content, state, awaitsFloor: false })
    })
  }

  async #signAll(requests: readonly SigningRequest[]): Promise<{ signatures: Uint8Array[]; number: number }> {
    if (this.#content.awaitsFloor) throw new SigningRefused({ kind: 'refused', code: 'no-floor' })
    const state = this.#content.state.clone()
    let { number } = this.#content
    const signatures: Uint8Array[] = []
    const fresh: RecordedSignature[] = []
    for (const request of requests) {
      const verdict = state.judge(request)
      if (verdict.kind === 'refused') throw new SigningRefused(verdict)
      if (verdict.kind === 'recorded') {
        signatures.push(verdict.entry.signature)
        continue
      }
      number += 1
      // A copy of the bytes: what is recorded must not change with the caller's buffer (`slice` of a Buffer is none).
      const bytes = new Uint8Array(request.bytes)
      const signature = await this.#options.sign(request.kind, bytes)
      const entry = { number, subject: verdict.subject, bytes, signature }
      state.add(entry)
      fresh.push(entry)
      signatures.push(signature)
    }
    if (fresh.length > 0) await this.#record({ ...this.#content, state, number }, fresh)
    return { signatures, number }
  }

  /** New lines at the end, or all that is kept anew where the file has grown too long. */
  async #record(content: RecordContent, fresh: readonly RecordedSignature[]): Promise<void> {
    const lines = encodeEntries(fresh)
    if (this.#isMissing || this.#sizeBytes + lines.length > this.#compactAboveBytes) {
      await this.#replace(content)
      return
    }
    await this.#write(() => this.#options.file.append(lines))
    this.#content = content
    this.#sizeBytes += lines.length
  }

  async #replace(content: RecordContent): Promise<void> {
    const bytes = encodeRecord(this.#options, content)
    await this.#write(() => this.#options.file.replace(bytes))
    this.#content = content
    this.#sizeBytes = bytes.length
    const { compactAboveBytes = defaultCompactAboveBytes } = this.#options
    this.#compactAboveBytes = Math.max(compactAboveBytes, 4 * bytes.length)
    this.#isMissing = false
  }

  async #write(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#failure !== undefined) {
        throw new SigningRefused({ kind: 'refused', code: 'record-failed' }, { cause: this.#failure })
      }
      return action()
    })
    // The next call waits for this one, however it ends; its own caller hears of the failure.
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

/** All that a record's file says, without opening it: nothing is written, not even where an append was cut short.
 *  Throws `StorageError`: `record-corrupted`, `record-of-another`, `format-too-new`. */
export function readRecord(
  owner: RecordOwner,
  file: Uint8Array,
): { readonly number: number; readonly lines: readonly RecordedSignature[] } {
  const { number, lines } = decodeRecord(owner, file)
  return { number, lines }
}

/** Why this record must not be signed with, in a text that says how to go on; undefined where it is as new as the
 *  database. Asked once, at start.
 *  @param recordNumber of the record; undefined where it is missing.
 *  @param databaseNumber `ChainStore.signingNumber`: 0 where nothing that was signed is saved. */
export function checkAgainstDatabase({
  recordNumber,
  databaseNumber,
}: {
  readonly recordNumber: number | undefined
  readonly databaseNumber: number
}): { readonly code: 'record-missing' | 'record-older'; readonly reason: string } | undefined {
  if ((recordNumber ?? 0) >= databaseNumber) return undefined
  const goOn =
    'Nothing is signed. Bring back the newest copy of the record, or import an exported one; without either, start the record over. After an import or a new start the node signs again three heights above the others, or from the height that you give'
  if (recordNumber === undefined) {
    const reason = `The signing record is missing, and the database knows of ${databaseNumber} signatures. ${goOn}`
    return { code: 'record-missing', reason }
  }
  const reason = `The signing record ends at signature ${recordNumber}, and the database knows of ${databaseNumber}: it is an old copy. ${goOn}`
  return { code: 'record-older', reason }
}
