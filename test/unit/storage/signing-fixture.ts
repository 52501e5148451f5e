// A record in memory whose file can be cut and whose writes can fail, and requests to sign.
import { encodePoolCommitmentBody, encodeProposalBody, encodeVoteBody } from '../../../src/codec/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import {
  type RecordFile,
  SigningRecord,
  type SigningRecordOptions,
  type SigningRequest,
} from '../../../src/storage/index.ts'
import type { BatchId, BlockId, Hash, PublicKey, VoteKind } from '../../../src/types/index.ts'

export class MemoryRecordFile implements RecordFile {
  content: Uint8Array | undefined
  appends = 0
  replaces = 0
  fails = false

  constructor(content?: Uint8Array) {
    this.content = content
  }

  async read(): Promise<Uint8Array | undefined> {
    return this.content
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.fails) throw new Error('no space left')
    this.appends += 1
    this.content = new Uint8Array(Buffer.concat([this.content ?? new Uint8Array(), bytes]))
  }

  async replace(bytes: Uint8Array): Promise<void> {
    if (this.fails) throw new Error('no space left')
    this.replaces += 1
    this.content = bytes.slice()
  }
}

export const owner = {
  genesisHash: '11'.repeat(32) as Hash,
  votingKey: '22'.repeat(32) as string as PublicKey,
}

export const blockX = 'aa'.repeat(32) as BlockId
export const blockY = 'bb'.repeat(32) as BlockId

export function openRecord(
  file: RecordFile,
  options: Partial<SigningRecordOptions> = {},
): Promise<SigningRecord> {
  return SigningRecord.open({ ...owner, file, sign: signatureOf, ...options })
}

/** Not a signature, but 64 bytes that depend on all that is signed. */
export function signatureOf(kind: string, bytes: Uint8Array): Uint8Array {
  const digest = sha256(Buffer.concat([Buffer.from(kind), bytes]))
  return new Uint8Array(Buffer.concat([digest, digest]))
}

export function aVote(kind: VoteKind, height: number, view: number, blockId = blockX): SigningRequest {
  const body = kind === 'nullify' ? { kind, height, view } : { kind, height, view, blockId }
  return { kind, bytes: encodeVoteBody(body) }
}

export function aProposal(height: number, view: number, blockId = blockX): SigningRequest {
  return { kind: 'proposal', bytes: encodeProposalBody({ height, view, blockId }) }
}

export function aPoolCommitment(height: number, time = 5, entryCount = 1): SigningRequest {
  const entries = Array.from({ length: entryCount }, (_, index) => ({
    batchId: index.toString(16).padStart(64, '0') as BatchId,
    receivedAt: 5,
  }))
  return { kind: 'pool-commitment', bytes: encodePoolCommitmentBody({ height, time, entries }) }
}

export function refused(code: string): object {
  return { name: 'SigningRefused', code }
}

export async function signatures(
  record: SigningRecord,
  ...requests: SigningRequest[]
): Promise<Uint8Array[]> {
  return (await record.signAll(requests)).signatures
}
