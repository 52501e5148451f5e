// Headers, and what makes them final: the part that all proofs share.
import { bytesToHex, decodeCertificate, decodeHeader, encodeVoteBody } from '../codec/index.ts'
import { signingInput } from '../crypto/domain.ts'
import { isQuorum, powerOf } from '../quorum/index.ts'
import type { BlockId, Finalization, Header, TimeMs, ValidatorIndex, View } from '../types/index.ts'
import { base64Of, fieldsOf, listOf } from './json.ts'
import { demand } from './refusals.ts'
import type { Trust } from './trust.ts'

/** More than any header or certificate of a valid genesis has. */
const maxHeaderBytes = 1024
const maxFinalizationBytes = 64 * 1024
/** Of one proof; nodes send less at a time. */
export const maxHeaders = 10_000

/** A header whose bytes hash to `id`. */
export interface ProvenHeader {
  readonly id: BlockId
  readonly header: Header
}

/** Who made a block final. */
export interface ProvenFinality {
  readonly view: View
  /** Ascending. */
  readonly signers: readonly ValidatorIndex[]
  readonly power: number
}

/** A block that is final, as far as its header goes. */
export interface FinalBlockHeader extends ProvenHeader {
  readonly time: TimeMs
  readonly finality: ProvenFinality
}

/** The final header of the fields `header` and `finalization`. */
export function readFinalHeader(
  trust: Trust,
  fields: { readonly header: unknown; readonly finalization: unknown },
): FinalBlockHeader {
  const proven = readHeader(trust, fields.header, 'header')
  return { ...proven, time: proven.header.time, finality: readFinality(trust, fields.finalization, proven) }
}

/** As `readFinalHeader`, of an object with just these two fields. */
export function readFinalHeaderObject(trust: Trust, value: unknown, at: string): FinalBlockHeader {
  return readFinalHeader(trust, fieldsOf(value, ['header', 'finalization'], at))
}

/** Consecutive headers, each the previous block of the next, all final by the finalization of the last. */
export function readHeaders(
  trust: Trust,
  fields: { readonly headers: unknown; readonly finalization: unknown },
): { readonly headers: readonly ProvenHeader[]; readonly last: FinalBlockHeader } {
  const headers: ProvenHeader[] = []
  for (const [index, item] of listOf(fields.headers, maxHeaders, 'headers').entries()) {
    const next = readHeader(trust, item, `headers[${index}]`)
    const previous = headers.at(-1)
    if (previous !== undefined) demandLink(previous, next)
    headers.push(next)
  }
  const last = headers.at(-1)
  demand(last !== undefined, 'malformed', 'headers is empty')
  const finality = readFinality(trust, fields.finalization, last)
  return { headers, last: { ...last, time: last.header.time, finality } }
}

/** `next` is the block after `previous`. */
export function demandLink(
  previous: { readonly id: BlockId; readonly header: Pick<Header, 'height' | 'time'> },
  { header }: ProvenHeader,
): void {
  const isNext = header.height === previous.header.height + 1 && header.previousBlockId === previous.id
  demand(isNext, 'broken-link', `height ${header.height}`)
  demand(header.time > previous.header.time, 'time-goes-back', `height ${header.height}`)
}

function readHeader({ genesis, sha256 }: Trust, value: unknown, at: string): ProvenHeader {
  const bytes = base64Of(value, maxHeaderBytes, at)
  const decoded = decodeHeader(bytes)
  demand(decoded.ok, 'bad-header', decoded.ok ? at : decoded.reason)
  const header = decoded.value
  demand(header.height >= 1, 'bad-header', 'genesis has no header')
  demand(header.chainId === genesis.chainId, 'other-chain')
  const isSameSet =
    header.validatorsHash === genesis.validatorsHash && header.nextValidatorsHash === genesis.validatorsHash
  demand(isSameSet, 'other-validators')
  return { id: bytesToHex(sha256(bytes)) as BlockId, header }
}

/** Who signed that this block is final; a quorum, and every signature holds. What costs nothing is checked first. */
function readFinality(trust: Trust, value: unknown, { id, header }: ProvenHeader): ProvenFinality {
  const decoded = decodeCertificate(base64Of(value, maxFinalizationBytes, 'finalization'))
  demand(decoded.ok, 'bad-finalization', decoded.ok ? undefined : decoded.reason)
  const certificate = decoded.value
  demand(certificate.kind === 'finalization', 'bad-finalization', 'it is another kind of certificate')
  demand(certificate.height === header.height, 'other-height')
  demand(certificate.blockId === id, 'other-block')
  demand(certificate.view >= header.view, 'early-view')
  const signers = certificate.signatures.map(({ validator }) => validator)
  const unknown = signers.find((validator) => trust.powers[validator] === undefined)
  demand(unknown === undefined, 'unknown-validator', `validator ${unknown}`)
  const power = powerOf(trust.powers, signers)
  demand(isQuorum(trust.thresholds, power), 'no-quorum', `${power} of ${trust.thresholds.quorum}`)
  demandSignatures(trust, certificate)
  return { view: certificate.view, signers, power }
}

function demandSignatures({ genesis, verifySignature }: Trust, certificate: Finalization): void {
  const { height, view, blockId } = certificate
  const bytes = encodeVoteBody({ kind: 'finalize', height, view, blockId })
  const message = signingInput({ kind: 'finalize', genesisHash: genesis.hash, bytes })
  for (const { validator, signature } of certificate.signatures) {
    const publicKey = genesis.validators[validator]?.votingKey
    const isSigned = publicKey !== undefined && verifySignature({ publicKey, message, signature })
    demand(isSigned, 'bad-signature', `of validator ${validator}`)
  }
}
