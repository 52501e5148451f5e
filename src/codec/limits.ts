// Bounds that hold whatever genesis says, and what genesis may say.
import type { ProtocolLimits } from '../types/index.ts'

const MiB = 1024 * 1024

/** Gossipsub drops larger frames without a word (measured), so nothing that is gossiped comes near it. */
export const maxGossipFrameBytes = 4 * MiB
/** No batch, message or block may be larger, whatever genesis says. */
export const maxConfigurableBytes = 3 * MiB
/** Keeps n pool commitments of at least 100 entries, and a certificate, within a proposal's frame. */
export const maxValidators = 256
/** Certificates carried by one proposal; older ones are asked for by `view`. */
export const maxJustification = 64
export const signatureBytes = 64
export const hashBytes = 32
export const vrfProofBytes = 80
export const maxNamespaceBytes = 64
export const maxChainIdBytes = 32
/** flags, timestamp, data length. */
export const minMessageBytes = 9
/** author, message count. */
export const batchOverheadBytes = 36
/** batch id and time. */
export const commitmentEntryBytes = 40

export const defaultLimits: ProtocolLimits = {
  maxMessageBytes: 256 * 1024,
  maxBatchBytes: 512 * 1024,
  maxBatchMessages: 10_000,
  maxBlockBatches: 1_000,
  maxBlockBytes: 2 * MiB,
  maxCommitmentEntries: 1_000,
}

/** K: the most entries of one pool commitment (protocol §4): n of them fit a proposal of about 1 MiB. */
export function commitmentEntriesMax(limits: ProtocolLimits, validatorCount: number): number {
  return Math.min(limits.maxCommitmentEntries, Math.floor(MiB / (commitmentEntryBytes * validatorCount)))
}
