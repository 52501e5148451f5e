// What travels (protocol §4): one frame is one signed thing, the same bytes in gossip, on direct streams and
// in replies. A frame is a tag and a body; which tags a channel takes is the channel's rule.
import type {
  Batch,
  Block,
  Certificate,
  Evidence,
  Finalization,
  Height,
  PoolCommitment,
  Proposal,
  ProtocolLimits,
  Vote,
} from '../types/index.ts'
import {
  decodeBlock,
  decodeCertificate,
  decodeEvidence,
  decodeProposal,
  decodeVote,
  encodeBlock,
  encodeCertificate,
  encodeEvidence,
  encodeProposal,
  encodeVote,
} from './consensus.ts'
import { maxConfigurableBytes, signatureBytes } from './limits.ts'
import { decodeBatch, decodePoolCommitment, type Sha256, type Sha256Hex } from './message.ts'
import { type ByteReader, type Decoded, DecodeError, decodeAll, unwrap } from './reader.ts'
import { ByteWriter } from './writer.ts'

export type Frame =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'pool-commitment'; readonly commitment: PoolCommitment }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  | { readonly kind: 'block'; readonly block: Block }

const frameTags = {
  batch: 1,
  proposal: 2,
  'pool-commitment': 3,
  vote: 4,
  certificate: 5,
  evidence: 6,
  block: 7,
} as const

const frameKinds: ReadonlyMap<number, Frame['kind']> = new Map(
  Object.entries(frameTags).map(([kind, tag]) => [tag, kind as Frame['kind']]),
)

export interface FrameContext {
  readonly limits: ProtocolLimits
  /** K of this network. */
  readonly entriesMax: number
  readonly sha256: Sha256
  /** Absent: made of `sha256`. */
  readonly sha256Hex?: Sha256Hex
}

export function encodeFrame(frame: Frame): Uint8Array {
  const writer = new ByteWriter(1024).u8(frameTags[frame.kind])
  switch (frame.kind) {
    case 'batch':
      return writer.bytes(frame.batch.bytes).raw(frame.batch.signature).finish()
    case 'proposal':
      return writer.raw(encodeProposal(frame.proposal)).finish()
    case 'pool-commitment': {
      const { validator, bytes, signature } = frame.commitment
      return writer.u16(validator).bytes(bytes).raw(signature).finish()
    }
    case 'vote':
      return writer.raw(encodeVote(frame.vote)).finish()
    case 'certificate':
      return writer.raw(encodeCertificate(frame.certificate)).finish()
    case 'evidence':
      return writer.raw(encodeEvidence(frame.evidence)).finish()
    case 'block':
      return writer.raw(encodeBlock(frame.block)).finish()
  }
}

/** What kind of frame these bytes claim to be; undefined for none. */
export function frameKindOf(bytes: Uint8Array): Frame['kind'] | undefined {
  return frameKinds.get(bytes[0] ?? 0)
}

/** The height that a frame is about; batches are of none. */
export function heightOf(frame: Exclude<Frame, { readonly kind: 'batch' }>): Height
export function heightOf(frame: Frame): Height | undefined
export function heightOf(frame: Frame): Height | undefined {
  switch (frame.kind) {
    case 'batch':
      return undefined
    case 'proposal':
      return frame.proposal.height
    case 'pool-commitment':
      return frame.commitment.height
    case 'vote':
      return frame.vote.height
    case 'certificate':
      return frame.certificate.height
    case 'evidence':
      return frame.evidence.height
    case 'block':
      return frame.block.header.height
  }
}

/** How many messages the frame of a batch claims to have, which is as many as decoding it makes at most; 0 for other frames
 *  and for what is too short. */
export function messageCountOf(bytes: Uint8Array): number {
  // Tag, length of the signed bytes, author.
  const at = 1 + 4 + 32
  if (bytes[0] !== frameTags.batch || bytes.length < at + 4) return 0
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0)
}

/** A well-formed frame. No signature is checked here; nothing of it may be believed yet. */
export function decodeFrame(bytes: Uint8Array, context: FrameContext): Decoded<Frame> {
  const rest = bytes.subarray(1)
  switch (bytes[0]) {
    case frameTags.batch:
      return decodeAll(rest, (reader) => ({ kind: 'batch', batch: readBatch(reader, context) }))
    case frameTags['pool-commitment']:
      return decodeAll(rest, (reader) => {
        const validator = reader.u16()
        const body = reader.bytes(maxConfigurableBytes)
        const signed = { validator, bytes: body, signature: reader.raw(signatureBytes) }
        return {
          kind: 'pool-commitment',
          commitment: unwrap(decodePoolCommitment(signed, context.entriesMax)),
        }
      })
    case frameTags.proposal:
      return wrap(decodeProposal(rest, context), (proposal) => ({ kind: 'proposal', proposal }))
    case frameTags.vote:
      return wrap(decodeVote(rest), (vote) => ({ kind: 'vote', vote }))
    case frameTags.certificate:
      return wrap(decodeCertificate(rest), (certificate) => ({ kind: 'certificate', certificate }))
    case frameTags.evidence:
      return wrap(decodeEvidence(rest), (evidence) => ({ kind: 'evidence', evidence }))
    case frameTags.block:
      return wrap(decodeBlock(rest, context), (block) => ({ kind: 'block', block }))
    default:
      return { ok: false, reason: 'unknown frame tag' }
  }
}

/** A final block with all it takes to check it: what is stored, and what block sync sends. */
export interface FinalBlock {
  readonly block: Block
  readonly finalization: Finalization
  /** Those of the block's content, in its order. */
  readonly batches: readonly Batch[]
}

export function encodeFinalBlock(final: FinalBlock): Uint8Array {
  const [block, finalization] = [encodeBlock(final.block), encodeCertificate(final.finalization)]
  const batchBytes = final.batches.reduce(
    (sum, { bytes, signature }) => sum + 4 + bytes.length + signature.length,
    0,
  )
  const size = 4 + block.length + 4 + finalization.length + 4 + batchBytes
  const writer = new ByteWriter(size).bytes(block).bytes(finalization)
  writer.u32(final.batches.length)
  for (const { bytes, signature } of final.batches) writer.bytes(bytes).raw(signature)
  return writer.finish()
}

export function decodeFinalBlock(bytes: Uint8Array, context: FrameContext): Decoded<FinalBlock> {
  return decodeAll(bytes, (reader) => {
    const block = unwrap(decodeBlock(reader.bytes(maxConfigurableBytes), context))
    const finalization = unwrap(decodeCertificate(reader.bytes(64 * 1024)))
    if (finalization.kind !== 'finalization') throw new DecodeError('not a finalization')
    const limits = { count: reader.u32(), maxCount: context.limits.maxBlockBatches, itemBytes: 100 }
    return { block, finalization, batches: reader.list(limits, () => readBatch(reader, context)) }
  })
}

function readBatch(reader: ByteReader, context: FrameContext): Batch {
  const bytes = reader.bytes(context.limits.maxBatchBytes)
  return unwrap(decodeBatch({ bytes, signature: reader.raw(signatureBytes) }, context))
}

function wrap<T, R>(decoded: Decoded<T>, make: (value: T) => R): Decoded<R> {
  return decoded.ok ? { ok: true, value: make(decoded.value) } : decoded
}
