// Whether the signing record of a stopped node is its own, whole, without contradiction, and as new as its database.

import { conflictOf } from '../sequencing/index.ts'
import {
  checkAgainstDatabase,
  NodeRecordFile,
  type RecordedSignature,
  readRecord,
  StorageError,
} from '../storage/index.ts'
import type { PublicKey, SignedPayload } from '../types/index.ts'
import type { Network } from './check-chain.ts'

export interface SigningCheck {
  readonly network: Network
  /** Of the record's file. */
  readonly path: string
  readonly votingKey: PublicKey
  /** `readSigningNumber` of the database; undefined where that is damaged. */
  readonly databaseNumber: number | undefined
}

/** Sentences that say what is wrong with it; none where it is right, or where neither it nor the database knows of a
 *  signature. Changes nothing. @throws StorageError `read-failed`. */
export async function checkSigningRecord({
  network,
  path,
  votingKey,
  databaseNumber = 0,
}: SigningCheck): Promise<string[]> {
  const file = await new NodeRecordFile(path).read()
  if (file === undefined) {
    const reason = checkAgainstDatabase({ recordNumber: undefined, databaseNumber })?.reason
    return reason === undefined ? [] : [`signing record: ${reason}`]
  }
  let record: ReturnType<typeof readRecord>
  try {
    record = readRecord({ genesisHash: network.genesis.hash, votingKey }, file)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return [`signing record: ${error.message}`]
  }
  const problems = record.lines
    .filter((line) => !isSigned(network, votingKey, line))
    .map(({ number }) => `signing record: signature ${number} is not by this home's voting key`)
  problems.push(...contradictionsIn(record.lines))
  const older = checkAgainstDatabase({ recordNumber: record.number, databaseNumber })
  return older === undefined ? problems : [...problems, `signing record: ${older.reason}`]
}

function isSigned({ verifySigned }: Network, key: PublicKey, line: RecordedSignature): boolean {
  return verifySigned({ ...payloadOf(line), key })
}

function contradictionsIn(lines: readonly RecordedSignature[]): string[] {
  // Only signatures of one height and view can contradict each other: a handful each.
  const groups = new Map<string, RecordedSignature[]>()
  for (const line of lines) {
    const { subject } = line
    const place = `${subject.height}/${'view' in subject ? subject.view : ''}`
    const group = groups.get(place) ?? []
    groups.set(place, group)
    group.push(line)
  }
  return [...groups.values()].flatMap((group) =>
    group.flatMap((line, at) =>
      group
        .slice(0, at)
        .filter((earlier) => conflictOf(payloadOf(earlier), payloadOf(line)) !== undefined)
        .map(({ number }) => `signing record: signatures ${number} and ${line.number} contradict each other`),
    ),
  )
}

function payloadOf({ subject, bytes, signature }: RecordedSignature): SignedPayload {
  return { kind: subject.kind, bytes, signature }
}
