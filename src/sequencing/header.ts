// The header that commitments, content and chain allow, and its check (protocol §3.3, §3.4). A leader makes it, voters
// and block sync make it again and compare.
import {
  ByteWriter,
  bytesToHex,
  encodeCommitments,
  encodeHeader,
  headerVersion,
  type Sha256,
} from '../codec/index.ts'
import { isQuorum, powerOf, type Thresholds } from '../quorum/index.ts'
import type {
  BatchId,
  BlockContent,
  BlockId,
  Hash,
  Header,
  Height,
  MessageId,
  PoolCommitment,
  TimeMs,
  ValidatorIndex,
  View,
} from '../types/index.ts'
import { namespaceTree, sequenceRoot } from './roots.ts'

export type AttachedFault = 'unknown-validator' | 'doubled-validator' | 'other-height' | 'no-quorum'

/** Why these commitments cannot be attached to block `height`; undefined where they can. Their signatures are checked
 *  where they come in. */
export function checkAttached({
  commitments,
  height,
  powers,
  thresholds,
}: {
  readonly commitments: readonly PoolCommitment[]
  readonly height: Height
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
}): AttachedFault | undefined {
  const validators = commitments.map((commitment) => commitment.validator)
  if (validators.some((validator) => powers[validator] === undefined)) return 'unknown-validator'
  if (new Set(validators).size !== validators.length) return 'doubled-validator'
  if (commitments.some((commitment) => commitment.height !== height)) return 'other-height'
  return isQuorum(thresholds, powerOf(powers, validators)) ? undefined : 'no-quorum'
}

/** The block's time: the least t such that twice the attached power with time ≤ t is at least the attached power, but
 *  at least the previous block's + 1. Liars are less than half of any quorum, so it is within honest clocks.
 *  @param commitments as `checkAttached` accepts them. */
export function blockTime({
  commitments,
  powers,
  previousTime,
}: {
  readonly commitments: readonly PoolCommitment[]
  readonly powers: readonly number[]
  readonly previousTime: TimeMs
}): TimeMs {
  const attachedPower = powerOf(
    powers,
    commitments.map((commitment) => commitment.validator),
  )
  let power = 0
  for (const { validator, time } of [...commitments].sort((a, b) => a.time - b.time)) {
    power += powers[validator] ?? 0
    if (2 * power >= attachedPower) return Math.max(time, previousTime + 1)
  }
  return previousTime + 1
}

/** SHA-256 of the commitments as signed, ascending by validator: u16 count, then of each u16 validator ‖ u32 length ‖
 *  signed bytes ‖ signature (64). */
export function commitmentsHash(commitments: readonly PoolCommitment[], sha256: Sha256): Hash {
  const ascending = [...commitments].sort((a, b) => a.validator - b.validator)
  return bytesToHex(sha256(encodeCommitments(ascending))) as Hash
}

/** SHA-256 of u32 count ‖ the 32-byte ids of the block's batches in order. */
export function batchesHash(batchIds: readonly BatchId[], sha256: Sha256): Hash {
  const writer = new ByteWriter(4 + 32 * batchIds.length).u32(batchIds.length)
  for (const batchId of batchIds) writer.hex(batchId, 32)
  return bytesToHex(sha256(writer.finish())) as Hash
}

/** All that a header is made of. */
export interface HeaderParts {
  readonly chainId: string
  readonly height: Height
  readonly view: View
  readonly leader: ValidatorIndex
  /** 80 bytes; whether it verifies is checked where beacon(h) is made of it. */
  readonly vrfProof: Uint8Array
  readonly previous: { readonly id: BlockId; readonly time: TimeMs }
  readonly commitments: readonly PoolCommitment[]
  readonly powers: readonly number[]
  readonly content: Pick<BlockContent, 'batchIds' | 'messages'>
  readonly stateHeight: Height
  readonly stateRoot: Hash
  readonly validatorsHash: Hash
  readonly nextValidatorsHash: Hash
  readonly sha256: Sha256
  /** `sequenceRoot` by something faster than one hash after another. */
  readonly sequenceRootOf?: (messageIds: readonly MessageId[]) => Hash
}

/** The header of a block, its canonical bytes and the block's id. RangeError where a field has no encoding. */
export function makeHeader(parts: HeaderParts): { header: Header; headerBytes: Uint8Array; id: BlockId } {
  const { commitments, powers, content, previous, sha256 } = parts
  const messageIds = content.messages.map((message) => message.id)
  const namespaces = namespaceTree(content.messages, sha256)
  const header: Header = {
    version: headerVersion,
    chainId: parts.chainId,
    height: parts.height,
    view: parts.view,
    time: blockTime({ commitments, powers, previousTime: previous.time }),
    previousBlockId: previous.id,
    leader: parts.leader,
    vrfProof: parts.vrfProof,
    commitmentsHash: commitmentsHash(commitments, sha256),
    batchesHash: batchesHash(content.batchIds, sha256),
    sequenceRoot: parts.sequenceRootOf?.(messageIds) ?? sequenceRoot(messageIds, sha256),
    messageCount: messageIds.length,
    namespacesRoot: namespaces.root,
    namespaceCount: namespaces.leaves.length,
    stateHeight: parts.stateHeight,
    stateRoot: parts.stateRoot,
    validatorsHash: parts.validatorsHash,
    nextValidatorsHash: parts.nextValidatorsHash,
  }
  const headerBytes = encodeHeader(header)
  return { header, headerBytes, id: bytesToHex(sha256(headerBytes)) as BlockId }
}

/** In encoding order. */
const headerFields = [
  'version',
  'chainId',
  'height',
  'view',
  'time',
  'previousBlockId',
  'leader',
  'vrfProof',
  'commitmentsHash',
  'batchesHash',
  'sequenceRoot',
  'messageCount',
  'namespacesRoot',
  'namespaceCount',
  'stateHeight',
  'stateRoot',
  'validatorsHash',
  'nextValidatorsHash',
] as const satisfies readonly (keyof Header)[]

/** The first field, in encoding order, in which a header is not the one expected; undefined where they are equal. */
export function checkHeader({
  header,
  expected,
}: {
  readonly header: Header
  readonly expected: Header
}): keyof Header | undefined {
  return headerFields.find((field) =>
    field === 'vrfProof'
      ? bytesToHex(header.vrfProof) !== bytesToHex(expected.vrfProof)
      : header[field] !== expected[field],
  )
}
