// Headers, blocks, votes, certificates, proposals and evidence, in bytes.
import type {
  Block,
  BlockId,
  Certificate,
  Evidence,
  Hash,
  Header,
  PoolCommitment,
  Proposal,
  SignedKind,
  SignedPayload,
  Vote,
  VoteBody,
} from '../types/index.ts'
import { bytesToHex } from './hex.ts'
import {
  hashBytes,
  maxChainIdBytes,
  maxConfigurableBytes,
  maxJustification,
  maxValidators,
  signatureBytes,
  vrfProofBytes,
} from './limits.ts'
import { bodyTags, decodePoolCommitment, type Sha256 } from './message.ts'
import { type ByteReader, type Decoded, DecodeError, decodeAll, unwrap } from './reader.ts'
import { ByteWriter } from './writer.ts'

export const headerVersion = 1
const certificateKinds = ['notarization', 'nullification', 'finalization'] as const
const signedKinds: readonly SignedKind[] = ['pool-commitment', 'notarize', 'nullify', 'finalize', 'proposal']

/** Canonical bytes of a header; their SHA-256 is the block's id. */
export function encodeHeader(header: Header): Uint8Array {
  return new ByteWriter(512)
    .u16(header.version)
    .text(header.chainId)
    .u64(header.height)
    .u32(header.view)
    .u64(header.time)
    .hex(header.previousBlockId, hashBytes)
    .u16(header.leader)
    .raw(header.vrfProof)
    .hex(header.commitmentsHash, hashBytes)
    .hex(header.batchesHash, hashBytes)
    .hex(header.sequenceRoot, hashBytes)
    .u32(header.messageCount)
    .hex(header.namespacesRoot, hashBytes)
    .u32(header.namespaceCount)
    .u64(header.stateHeight)
    .hex(header.stateRoot, hashBytes)
    .hex(header.validatorsHash, hashBytes)
    .hex(header.nextValidatorsHash, hashBytes)
    .finish()
}

export function decodeHeader(bytes: Uint8Array): Decoded<Header> {
  return decodeAll(bytes, (reader) => {
    const version = reader.u16()
    if (version !== headerVersion) throw new DecodeError(`header version ${version}`)
    const hash = () => reader.hex<Hash>(hashBytes)
    return {
      version,
      chainId: reader.text(1, maxChainIdBytes),
      height: reader.u64(),
      view: reader.u32(),
      time: reader.u64(),
      previousBlockId: hash() as BlockId,
      leader: reader.u16(),
      vrfProof: reader.raw(vrfProofBytes),
      commitmentsHash: hash(),
      batchesHash: hash(),
      sequenceRoot: hash(),
      messageCount: reader.u32(),
      namespacesRoot: hash(),
      namespaceCount: reader.u32(),
      stateHeight: reader.u64(),
      stateRoot: hash(),
      validatorsHash: hash(),
      nextValidatorsHash: hash(),
    }
  })
}

/** The bytes under `commitmentsHash`: the commitments as signed, ascending by validator (protocol §3.4). */
export function encodeCommitments(commitments: readonly PoolCommitment[]): Uint8Array {
  const writer = new ByteWriter(4096).u16(commitments.length)
  for (const { validator, bytes, signature } of commitments) writer.u16(validator).bytes(bytes).raw(signature)
  return writer.finish()
}

/** Header, its maker's signature and the attached commitments. */
export function encodeBlock(block: Block): Uint8Array {
  return new ByteWriter(4096)
    .bytes(block.headerBytes)
    .raw(block.signature)
    .raw(encodeCommitments(block.commitments))
    .finish()
}

/** A block whose commitments are well-formed, of its height, ascending by validator. No signature is checked. */
export function decodeBlock(
  bytes: Uint8Array,
  context: { entriesMax: number; sha256: Sha256 },
): Decoded<Block> {
  return decodeAll(bytes, (reader) => {
    const headerBytes = reader.bytes(1024)
    const header = unwrap(decodeHeader(headerBytes))
    const signature = reader.raw(signatureBytes)
    let previous = -1
    const limits = { count: reader.u16(), maxCount: maxValidators, itemBytes: 91 }
    const commitments = reader.list(limits, () => {
      const validator = reader.u16()
      if (validator <= previous) throw new DecodeError('commitments are not strictly ascending by validator')
      previous = validator
      const body = reader.bytes(maxConfigurableBytes)
      const signed = { validator, bytes: body, signature: reader.raw(signatureBytes) }
      const commitment = unwrap(decodePoolCommitment(signed, context.entriesMax))
      if (commitment.height !== header.height) throw new DecodeError('a commitment of another height')
      return commitment
    })
    const id = bytesToHex(context.sha256(headerBytes)) as BlockId
    return { id, header, headerBytes, signature, commitments }
  })
}

/** The bytes that a vote's signature covers. */
export function encodeVoteBody(vote: VoteBody): Uint8Array {
  const writer = new ByteWriter(45).u8(bodyTags[vote.kind]).u64(vote.height).u32(vote.view)
  if (vote.kind !== 'nullify') writer.hex(vote.blockId, hashBytes)
  return writer.finish()
}

export function decodeVoteBody(bytes: Uint8Array): Decoded<VoteBody> {
  return decodeAll(bytes, readVoteBody)
}

/** The bytes that a leader signs to propose `blockId` in a view. */
export function encodeProposalBody(proposal: Pick<Proposal, 'height' | 'view' | 'blockId'>): Uint8Array {
  const { height, view, blockId } = proposal
  return new ByteWriter(45).u8(bodyTags.proposal).u64(height).u32(view).hex(blockId, hashBytes).finish()
}

export function decodeProposalBody(
  bytes: Uint8Array,
): Decoded<Pick<Proposal, 'height' | 'view' | 'blockId'>> {
  return decodeAll(bytes, (reader) => {
    if (reader.u8() !== bodyTags.proposal) throw new DecodeError('not a proposal')
    return { height: reader.u64(), view: reader.u32(), blockId: reader.hex<BlockId>(hashBytes) }
  })
}

export function encodeVote(vote: Vote): Uint8Array {
  return new ByteWriter(128).u16(vote.validator).bytes(encodeVoteBody(vote)).raw(vote.signature).finish()
}

export function decodeVote(bytes: Uint8Array): Decoded<Vote> {
  return decodeAll(bytes, (reader) => {
    const validator = reader.u16()
    const body = unwrap(decodeVoteBody(reader.bytes(45)))
    return { ...body, validator, signature: reader.raw(signatureBytes) }
  })
}

export function encodeCertificate(certificate: Certificate): Uint8Array {
  const writer = new ByteWriter(64 + 66 * certificate.signatures.length)
  writer
    .u8(certificateKinds.indexOf(certificate.kind) + 1)
    .u64(certificate.height)
    .u32(certificate.view)
  if (certificate.kind !== 'nullification') writer.hex(certificate.blockId, hashBytes)
  writer.u16(certificate.signatures.length)
  for (const { validator, signature } of certificate.signatures) writer.u16(validator).raw(signature)
  return writer.finish()
}

/** A certificate whose signers ascend strictly; neither signatures nor power are checked. */
export function decodeCertificate(bytes: Uint8Array): Decoded<Certificate> {
  return decodeAll(bytes, (reader) => {
    const kind = certificateKinds[reader.u8() - 1]
    if (kind === undefined) throw new DecodeError('unknown certificate kind')
    const base = { height: reader.u64(), view: reader.u32() }
    const blockId = kind === 'nullification' ? undefined : reader.hex<BlockId>(hashBytes)
    let previous = -1
    const limits = { count: reader.u16(), maxCount: maxValidators, itemBytes: 2 + signatureBytes }
    const signatures = reader.list(limits, () => {
      const validator = reader.u16()
      if (validator <= previous) throw new DecodeError('signers are not strictly ascending')
      previous = validator
      return { validator, signature: reader.raw(signatureBytes) }
    })
    if (kind === 'nullification') return { kind, ...base, signatures }
    return { kind, ...base, blockId: blockId as BlockId, signatures }
  })
}

export function encodeProposal(proposal: Proposal): Uint8Array {
  const writer = new ByteWriter(4096)
  writer.raw(encodeProposalBody(proposal)).u16(proposal.leader).raw(proposal.signature)
  if (proposal.block === undefined) writer.u8(0)
  else writer.u8(1).bytes(encodeBlock(proposal.block))
  writer.u16(proposal.justification.length)
  for (const certificate of proposal.justification) writer.bytes(encodeCertificate(certificate))
  return writer.finish()
}

export function decodeProposal(
  bytes: Uint8Array,
  context: { entriesMax: number; sha256: Sha256 },
): Decoded<Proposal> {
  return decodeAll(bytes, (reader) => {
    const body = unwrap(decodeProposalBody(reader.raw(45)))
    const leader = reader.u16()
    const signature = reader.raw(signatureBytes)
    const hasBlock = reader.u8()
    if (hasBlock > 1) throw new DecodeError('neither with nor without a block')
    const block =
      hasBlock === 0 ? undefined : unwrap(decodeBlock(reader.bytes(maxConfigurableBytes), context))
    if (block !== undefined && block.id !== body.blockId)
      throw new DecodeError('carries another block than it proposes')
    const limits = { count: reader.u16(), maxCount: maxJustification, itemBytes: 19 }
    const justification = reader.list(limits, () =>
      unwrap(decodeCertificate(reader.bytes(64 + 66 * maxValidators))),
    )
    const base = { ...body, leader, signature, justification }
    return block === undefined ? base : { ...base, block }
  })
}

/** Canonical bytes of evidence: also the data of a message in `diseq/evidence`. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const writer = new ByteWriter(1024).u16(evidence.validator)
  for (const { kind, bytes, signature } of [evidence.first, evidence.second]) {
    writer
      .u8(signedKinds.indexOf(kind) + 1)
      .bytes(bytes)
      .raw(signature)
  }
  return writer.finish()
}

/** Evidence that is well-formed and in canonical order; whether it convicts is `sequencing`'s to say. */
export function decodeEvidence(bytes: Uint8Array): Decoded<Evidence> {
  return decodeAll(bytes, (reader) => {
    const validator = reader.u16()
    const first = readSignedPayload(reader)
    const second = readSignedPayload(reader)
    const height = heightOfPayload(first)
    if (height !== heightOfPayload(second)) throw new DecodeError('payloads of two heights')
    if (compareBytes(first.bytes, second.bytes) >= 0)
      throw new DecodeError('payloads are not in ascending order')
    return { validator, height, first, second }
  })
}

/** Order of unsigned bytes; a prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length)
  for (let at = 0; at < size; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function readVoteBody(reader: ByteReader): VoteBody {
  const tag = reader.u8()
  const base = { height: reader.u64(), view: reader.u32() }
  if (tag === bodyTags.nullify) return { kind: 'nullify', ...base }
  if (tag !== bodyTags.notarize && tag !== bodyTags.finalize) throw new DecodeError('unknown vote kind')
  const kind = tag === bodyTags.notarize ? 'notarize' : 'finalize'
  return { kind, ...base, blockId: reader.hex<BlockId>(hashBytes) }
}

function readSignedPayload(reader: ByteReader): SignedPayload {
  const kind = signedKinds[reader.u8() - 1]
  if (kind === undefined) throw new DecodeError('unknown kind of signed payload')
  const bytes = reader.bytes(maxConfigurableBytes)
  if (bytes[0] !== bodyTags[kind]) throw new DecodeError('payload is not of its kind')
  return { kind, bytes, signature: reader.raw(signatureBytes) }
}

/** Every signed body starts with its tag and its height. */
function heightOfPayload(payload: SignedPayload): number {
  const reader = new DataView(payload.bytes.buffer, payload.bytes.byteOffset, payload.bytes.byteLength)
  if (payload.bytes.length < 9) throw new DecodeError('cut short')
  return reader.getUint32(1) * 0x1_0000_0000 + reader.getUint32(5)
}
