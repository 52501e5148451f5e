// Messages that are for the protocol itself: those in namespaces that begin with `diseq/` (protocol §3.7). What is
// not valid there is skipped like a duplicate, and refused by HTTP.
import { type Decoded, decodeEvidence, encodeEvidence } from '../codec/index.ts'
import type { Evidence, Genesis, Message, ValidatorIndex } from '../types/index.ts'
import { checkEvidence, type VerifySigned } from './evidence.ts'

export { isReserved } from '../codec/index.ts'

export const evidenceNamespace = 'diseq/evidence'

/** The one message that carries this evidence. It is as large as its payloads: two pool commitments of K entries need
 *  a `maxMessageBytes` of about 80·K + 300. */
export function messageOfEvidence(evidence: Evidence): Message {
  return { namespace: evidenceNamespace, data: encodeEvidence(evidence), timestamp: 0 }
}

/** The evidence in a message, or why it holds none. One form only: otherwise the same evidence could be sent as
 *  message after message. Nothing signed is checked here. */
export function evidenceOfMessage(message: Message): Decoded<Evidence> {
  if (message.namespace !== evidenceNamespace)
    return { ok: false, reason: `namespace is not ${evidenceNamespace}` }
  if (message.timestamp !== 0) return { ok: false, reason: 'evidence has the timestamp 0' }
  if (message.expiresAt !== undefined) return { ok: false, reason: 'evidence does not expire' }
  return decodeEvidence(message.data)
}

/** Why a message in a reserved namespace may not be in the block after the given chain; undefined where it may.
 *  @param message one for which `isReserved` holds.
 *  @param isConvicted whether evidence against the validator is in the chain: only the first is valid. */
export function checkReservedMessage({
  message,
  genesis,
  isConvicted,
  verify,
}: {
  readonly message: Message
  readonly genesis: Pick<Genesis, 'validators'>
  readonly isConvicted: (validator: ValidatorIndex) => boolean
  readonly verify: VerifySigned
}): string | undefined {
  if (message.namespace !== evidenceNamespace) return `${message.namespace} is reserved for the protocol`
  const evidence = evidenceOfMessage(message)
  if (!evidence.ok) return evidence.reason
  const { validator } = evidence.value
  if (isConvicted(validator)) return `evidence against validator ${validator} is in the chain already`
  const checked = checkEvidence({ evidence: evidence.value, genesis, verify })
  return checked.ok ? undefined : `evidence against validator ${validator}: ${checked.rejected}`
}
