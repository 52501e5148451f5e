// The signing record as text, for the file and for export. The file has one line for its head and one for each
// signature: a JSON object, a blank, a checksum. Lines of the head's `kept` signatures were written together with it by
// one replacement; those after them were appended, their numbers go on from the head's without a gap. So a crash can
// leave one thing only: the start of appended lines, the last of them without its end.
import { createHash } from 'node:crypto'
import type { Hash, PublicKey, SignedKind } from '../types/index.ts'
import { StorageError } from './errors.ts'
import { type RecordedSignature, SignedState, subjectOf } from './signing-rules.ts'

/** Whose signatures a record holds. */
export interface RecordOwner {
  readonly genesisHash: Hash
  readonly votingKey: PublicKey
}

/** All that a record says. */
export interface RecordContent {
  readonly state: SignedState
  /** Highest running number. */
  readonly number: number
  /** Nothing may be signed until a floor is given. */
  readonly awaitsFloor: boolean
}

interface Head {
  readonly record: typeof recordName
  readonly version: number
  readonly genesis: string
  readonly votingKey: string
  readonly number: number
  readonly kept: number
  readonly commitmentHeight: number
  readonly voteHeight: number
  readonly signFrom: number
  readonly awaitsFloor: boolean
}

interface EntryFields {
  readonly number: number
  readonly kind: SignedKind
  /** Base64. */
  readonly bytes: string
  readonly signature: string
}

const recordName = 'diseq-signing-record'
const recordVersion = 1
const checksumDigits = 16
const newline = 0x0a
const signedKinds: readonly string[] = ['pool-commitment', 'proposal', 'notarize', 'nullify', 'finalize']

/** The whole file. */
export function encodeRecord(owner: RecordOwner, content: RecordContent): Uint8Array {
  const entries = content.state.entries()
  const lines = [lineOf(headOf(owner, content, entries.length)), ...entries.map(entryLine)]
  return Buffer.from(lines.join(''))
}

/** The lines to append for new signatures. */
export function encodeEntries(entries: readonly RecordedSignature[]): Uint8Array {
  return Buffer.from(entries.map(entryLine).join(''))
}

/**
 * Reads a file back. `tornBytes` at its end are an append that never became durable, so nothing of it was ever sent.
 * Throws `StorageError`: `record-corrupted`, `record-of-another`, `format-too-new`.
 */
export function decodeRecord(
  owner: RecordOwner,
  file: Uint8Array,
): RecordContent & {
  readonly tornBytes: number
  /** Every line, those too that no longer matter. */
  readonly lines: readonly RecordedSignature[]
} {
  const end = file.lastIndexOf(newline) + 1
  const lines = Buffer.from(file.subarray(0, end)).toString('utf8').split('\n').slice(0, -1)
  const fields = lines.map((line, at) => parseLine(line, at + 1))
  const head = readHead(fields[0], owner, (reason) => damaged(1, reason))
  const entries = fields.slice(1).map((value, at) => readEntry(value, (reason) => damaged(at + 2, reason)))
  if (entries.length < head.kept) throw damaged(lines.length + 1, 'it ends too early')

  const state = stateOf(head, entries.slice(0, head.kept))
  let { number } = head
  for (const [at, entry] of entries.slice(head.kept).entries()) {
    const line = head.kept + at + 2
    number += 1
    if (entry.number !== number) throw damaged(line, `number ${entry.number} where ${number} is due`)
    addChecked(state, entry, line)
  }
  const { awaitsFloor } = head
  return { state, number, awaitsFloor, tornBytes: file.length - end, lines: entries }
}

/** JSON text to carry to another machine. */
export function exportText(owner: RecordOwner, content: RecordContent): string {
  const entries = content.state.entries()
  const head = headOf(owner, content, entries.length)
  return `${JSON.stringify({ ...head, entries: entries.map(entryFields) }, null, 2)}\n`
}

/** Reads an exported text. Throws `StorageError`: `record-unreadable`, `record-of-another`, `format-too-new`. */
export function readExport(owner: RecordOwner, text: string): RecordContent {
  const fail = (reason: string) =>
    new StorageError('record-unreadable', `not an exported signing record: ${reason}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw fail('it is not JSON')
    throw error
  }
  const head = readHead(value, owner, fail)
  const entries = isObject(value) ? value.entries : undefined
  if (!Array.isArray(entries) || entries.length !== head.kept) throw fail('signatures are missing')
  const state = stateOf(
    head,
    entries.map((entry: unknown) => readEntry(entry, fail)),
  )
  return { state, number: head.number, awaitsFloor: head.awaitsFloor }
}

function headOf(owner: RecordOwner, { state, number, awaitsFloor }: RecordContent, kept: number): Head {
  const { commitmentHeight, voteHeight, signFrom } = state
  const { genesisHash: genesis, votingKey } = owner
  const marks = { commitmentHeight, voteHeight, signFrom, awaitsFloor }
  return { record: recordName, version: recordVersion, genesis, votingKey, number, kept, ...marks }
}

function stateOf(head: Head, kept: readonly RecordedSignature[]): SignedState {
  const state = new SignedState()
  state.raise(head)
  for (const entry of kept) state.add(entry)
  return state
}

/** A record whose own lines contradict its rules was not written by them. */
function addChecked(state: SignedState, entry: RecordedSignature, line: number): void {
  const { kind } = entry.subject
  const verdict = state.judge({ kind, bytes: entry.bytes })
  if (verdict.kind !== 'new') throw damaged(line, 'it contradicts a line before it')
  state.add(entry)
}

function entryLine(entry: RecordedSignature): string {
  return lineOf(entryFields(entry))
}

function entryFields({ number, subject, bytes, signature }: RecordedSignature): EntryFields {
  const base64 = (part: Uint8Array) => Buffer.from(part).toString('base64')
  return { number, kind: subject.kind, bytes: base64(bytes), signature: base64(signature) }
}

function lineOf(fields: Head | EntryFields): string {
  const text = JSON.stringify(fields)
  return `${text} ${checksumOf(text)}\n`
}

function parseLine(line: string, number: number): unknown {
  const split = line.lastIndexOf(' ')
  const text = line.slice(0, Math.max(0, split))
  if (line.slice(split + 1) !== checksumOf(text)) throw damaged(number, 'its checksum is wrong')
  const value: unknown = JSON.parse(text)
  return value
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, checksumDigits)
}

function readHead(value: unknown, owner: RecordOwner, fail: (reason: string) => StorageError): Head {
  if (!isObject(value) || value.record !== recordName) throw fail('it is no signing record')
  const { version } = value
  if (typeof version === 'number' && version > recordVersion) {
    const message = `the signing record has version ${version}, this diseq reads up to ${recordVersion}; use a newer diseq`
    throw new StorageError('format-too-new', message)
  }
  const { genesis, votingKey, number, kept, commitmentHeight, voteHeight, signFrom, awaitsFloor } = value
  if (genesis !== owner.genesisHash || votingKey !== owner.votingKey) {
    const whose =
      genesis === owner.genesisHash ? `voting key ${votingKey}` : `network with genesis hash ${genesis}`
    throw new StorageError('record-of-another', `the signing record belongs to the ${whose}`)
  }
  const marks = [commitmentHeight, voteHeight].every((mark) => isInteger(mark, -1))
  if (version !== recordVersion || !isInteger(number) || !isInteger(kept) || !isInteger(signFrom)) {
    throw fail('its head is incomplete')
  }
  if (!marks || typeof awaitsFloor !== 'boolean') throw fail('its head is incomplete')
  return value as unknown as Head
}

function readEntry(value: unknown, fail: (reason: string) => StorageError): RecordedSignature {
  const fields = isObject(value) ? value : {}
  const { number, kind } = fields
  const bytes = fromBase64(fields.bytes)
  const signature = fromBase64(fields.signature)
  if (!isInteger(number, 1) || bytes === undefined || signature === undefined || !isKind(kind)) {
    throw fail('a signature is incomplete')
  }
  const subject = subjectOf({ kind, bytes })
  if (subject === undefined) throw fail(`signature ${number} is not of a ${kind}`)
  return { number, subject, bytes, signature }
}

function damaged(line: number, reason: string): StorageError {
  const message = `the signing record is damaged in line ${line}: ${reason}; nothing is signed with it. Bring back its newest copy, or import an exported one`
  return new StorageError('record-corrupted', message)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isInteger(value: unknown, min = 0): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min
}

function isKind(value: unknown): value is SignedKind {
  return typeof value === 'string' && signedKinds.includes(value)
}

function fromBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? new Uint8Array(bytes) : undefined
}
