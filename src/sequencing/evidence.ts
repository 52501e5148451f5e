// Whether two signed payloads convict a validator (protocol §2, §3.7): compared by what was signed, not by signature
// bytes. Called by the core when it meets a contradiction, by the pool's door and by whoever checks a block.
import {
  commitmentEntryBytes,
  compareBytes,
  decodePoolCommitment,
  decodeProposalBody,
  decodeVoteBody,
} from '../codec/index.ts'
import type {
  BlockId,
  Evidence,
  Genesis,
  Height,
  PublicKey,
  SignedKind,
  SignedPayload,
  ValidatorIndex,
  View,
} from '../types/index.ts'

/** What no honest validator does. */
export type Conflict = 'pool-commitments' | 'proposals' | 'notarizes' | 'finalizes' | 'finalize-and-nullify'

export type EvidenceFault = 'unknown-validator' | 'not-canonical' | 'no-conflict' | 'bad-signature'

/** Whether `signature` is of `bytes` by `key`, over the signing domain of `kind` and the chain's genesis. */
export type VerifySigned = (
  signed: SignedPayload & { readonly key: PublicKey; readonly kind: SignedKind },
) => boolean

/** The most entries that any genesis allows; how many this one allows does not change what was signed. */
const anyEntriesMax = Math.floor((1024 * 1024) / commitmentEntryBytes)

/** The contradiction between two payloads of one validator, in either order; undefined where an honest validator
 *  can have signed both (notarize and nullify of one view, say), or where either is not well-formed. */
export function conflictOf(first: SignedPayload, second: SignedPayload): Conflict | undefined {
  const a = statementOf(first)
  const b = statementOf(second)
  if (a === undefined || b === undefined || a.height !== b.height) return undefined
  if (a.kind === 'pool-commitment' && b.kind === 'pool-commitment') {
    return compareBytes(first.bytes, second.bytes) === 0 ? undefined : 'pool-commitments'
  }
  if (a.view !== b.view) return undefined
  const isFinalizeAndNullify =
    (a.kind === 'finalize' && b.kind === 'nullify') || (a.kind === 'nullify' && b.kind === 'finalize')
  if (isFinalizeAndNullify) return 'finalize-and-nullify'
  if (a.kind !== b.kind || a.blockId === b.blockId) return undefined
  return conflictOfTwoBlocks(a.kind)
}

/** Evidence of two payloads, the smaller first; undefined where they do not contradict each other. Their signatures
 *  are the caller's to have checked. */
export function makeEvidence({
  validator,
  payloads: [a, b],
}: {
  readonly validator: ValidatorIndex
  readonly payloads: readonly [SignedPayload, SignedPayload]
}): Evidence | undefined {
  const height = statementOf(a)?.height
  if (height === undefined || conflictOf(a, b) === undefined) return undefined
  const [first, second] = compareBytes(a.bytes, b.bytes) < 0 ? [a, b] : [b, a]
  return { validator, height, first, second }
}

/** Whether evidence convicts a validator of genesis. Whether it is the first against it is for the chain to say. */
export function checkEvidence({
  evidence,
  genesis,
  verify,
}: {
  readonly evidence: Evidence
  readonly genesis: Pick<Genesis, 'validators'>
  readonly verify: VerifySigned
}):
  | { readonly ok: true; readonly conflict: Conflict }
  | { readonly ok: false; readonly rejected: EvidenceFault } {
  const { first, second } = evidence
  const key = genesis.validators[evidence.validator]?.votingKey
  if (key === undefined) return { ok: false, rejected: 'unknown-validator' }
  const conflict = conflictOf(first, second)
  if (conflict === undefined) return { ok: false, rejected: 'no-conflict' }
  const isCanonical =
    compareBytes(first.bytes, second.bytes) < 0 && statementOf(first)?.height === evidence.height
  if (!isCanonical) return { ok: false, rejected: 'not-canonical' }
  const isSigned = verify({ ...first, key }) && verify({ ...second, key })
  return isSigned ? { ok: true, conflict } : { ok: false, rejected: 'bad-signature' }
}

interface Statement {
  readonly kind: SignedKind
  readonly height: Height
  /** Absent for a pool commitment: there is one a height. */
  readonly view?: View
  readonly blockId?: BlockId
}

/** What a payload says; undefined unless its bytes are of its kind and decode. */
function statementOf(payload: SignedPayload): Statement | undefined {
  const { kind, bytes, signature } = payload
  if (kind === 'pool-commitment') {
    const decoded = decodePoolCommitment({ validator: 0, bytes, signature }, anyEntriesMax)
    return decoded.ok ? { kind, height: decoded.value.height } : undefined
  }
  if (kind === 'proposal') {
    const decoded = decodeProposalBody(bytes)
    return decoded.ok ? { kind, ...decoded.value } : undefined
  }
  const decoded = decodeVoteBody(bytes)
  return decoded.ok && decoded.value.kind === kind ? decoded.value : undefined
}

function conflictOfTwoBlocks(kind: SignedKind): Conflict | undefined {
  switch (kind) {
    case 'proposal':
      return 'proposals'
    case 'notarize':
      return 'notarizes'
    case 'finalize':
      return 'finalizes'
    case 'nullify':
    case 'pool-commitment':
      return undefined
  }
}
