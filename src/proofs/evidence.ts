// Two things that one validator signed and no honest one signs: checked offline, whoever held it.
import { decodeEvidence } from '../codec/index.ts'
import { signingInput } from '../crypto/domain.ts'
import { type Conflict, checkEvidence } from '../sequencing/evidence.ts'
import type { Evidence, Height, ValidatorIndex } from '../types/index.ts'
import { proofTypes } from './formats.ts'
import { base64Of, fieldsOf } from './json.ts'
import { demand } from './refusals.ts'
import type { Trust } from './trust.ts'

/** More than two pool commitments of any genesis have. */
const maxEvidenceBytes = 3 * 1024 * 1024

export interface ProvenEvidence {
  readonly kind: 'evidence'
  readonly validator: ValidatorIndex
  readonly height: Height
  readonly conflict: Conflict
  readonly evidence: Evidence
}

export function readEvidence({ genesis, verifySignature }: Trust, value: unknown): ProvenEvidence {
  const fields = fieldsOf(value, ['type', 'evidence'], 'the proof')
  demand(fields.type === proofTypes.evidence, 'other-type')
  const decoded = decodeEvidence(base64Of(fields.evidence, maxEvidenceBytes, 'evidence'))
  demand(decoded.ok, 'bad-evidence', decoded.ok ? undefined : decoded.reason)
  const evidence = decoded.value
  const verdict = checkEvidence({
    evidence,
    genesis,
    verify: ({ kind, bytes, signature, key }) => {
      const message = signingInput({ kind, genesisHash: genesis.hash, bytes })
      return verifySignature({ publicKey: key, message, signature })
    },
  })
  if (!verdict.ok && (verdict.rejected === 'unknown-validator' || verdict.rejected === 'bad-signature'))
    demand(false, verdict.rejected)
  demand(verdict.ok, 'bad-evidence', verdict.ok ? undefined : verdict.rejected)
  const { validator, height } = evidence
  return { kind: 'evidence', validator, height, conflict: verdict.conflict, evidence }
}
