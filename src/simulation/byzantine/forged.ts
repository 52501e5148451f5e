// What several liars make: payloads that no replica would, with good signatures.
import { encodePoolCommitmentBody, type Frame } from '../../codec/index.ts'
import { toHex } from '../../crypto/native/index.ts'
import type { BatchId, PoolCommitment, PoolCommitmentEntry } from '../../types/index.ts'
import type { LiarTools } from '../behaviour.ts'

/** A commitment of the liar's, signed. The entries need no order. */
export function commitmentWith(
  { self, sign }: LiarTools,
  content: Pick<PoolCommitment, 'height' | 'time' | 'entries'>,
): Frame {
  const { height, time } = content
  const entries = content.entries
    .map(({ batchId, receivedAt }) => ({ batchId, receivedAt: Math.min(receivedAt, time) }))
    .sort((a, b) => (a.batchId < b.batchId ? -1 : 1))
  const bytes = encodePoolCommitmentBody({ height, time, entries })
  const commitment = {
    height,
    time,
    entries,
    validator: self,
    bytes,
    signature: sign('pool-commitment', bytes),
  }
  return { kind: 'pool-commitment', commitment }
}

/** Entries of batches that nobody has. */
export function phantoms(
  { random, nowMs }: LiarTools,
  details: { count: number; receivedAt?: number },
): PoolCommitmentEntry[] {
  const { count, receivedAt = nowMs() } = details
  return Array.from({ length: count }, () => ({ batchId: toHex(random.bytes(32)) as BatchId, receivedAt }))
}
