// Headers, and what makes them final: the part that all proofs share.
import { bytesToHex, decodeCertificate, decodeHeader, encodeVoteBody } from '../codec/index.ts'
import { signingInput } from '../crypto/domain.ts'
import { isQuorum, powerOf } from '../quorum/index.ts'
import type { BlockId, Finalization, Header, Height, TimeMs, ValidatorIndex, View } from '../types/index.ts'
import { base64Of, fieldsOf, listOf } from './json.ts'
import { demand } from './refusals.ts'
import type { Trust, TrustedBlock } from './trust.ts'

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

/** A header with the finalization that goes with it. */
export function readFinalHeader(trust: Trust, value: unknown, at: string): FinalBlockHeader {
  const fields = fieldsOf(value, ['header', 'finalization'], at)
  return finalised(trust, readHeader(trust, fields.header), fields.finalization)
}

/** The block of a header that was read before, final by this finalization. It costs a quorum of signature checks, so
 *  whatever else a proof shows is checked first. */
export function finalised(trust: Trust, proven: ProvenHeader, finalization: unknown): FinalBlockHeader {
  return { ...proven, time: proven.header.time, finality: readFinality(trust, finalization, proven) }
}

/** Consecutive headers, each the previous block of the next; at least one. */
export function readHeaders(trust: Trust, value: unknown): readonly [ProvenHeader, ...ProvenHeader[]] {
  const [first, ...others] = listOf(value, maxHeaders, 'headers').map((item) => readHeader(trust, item))
  demand(first !== undefined, 'malformed', 'headers is empty')
  let previous = first
  for (const next of others) {
    const { height, time, previousBlockId } = next.header
    const isNext = height === previous.header.height + 1 && previousBlockId === previous.id
    demand(isNext, 'broken-link', `height ${height}`)
    demand(time > previous.header.time, 'time-goes-back', `height ${height}`)
    previous = next
  }
  return [first, ...others]
}

/** What a caller wants of a range of headers. */
export interface RangeClaim {
  /** The first height. */
  readonly from?: Height | undefined
  /** The last height. */
  readonly to?: Height | undefined
  /** The block before the first. */
  readonly trusted?: TrustedBlock | undefined
}

export function demandRange(headers: readonly ProvenHeader[], { from, to, trusted }: RangeClaim): void {
  const first = headers[0]?.header.height
  demand(from === undefined || from === first, 'other-range', `it begins with ${first}`)
  const last = headers.at(-1)?.header.height
  demand(to === undefined || to === last, 'other-range', `it ends with ${last}`)
  if (trusted !== undefined && headers[0] !== undefined) demandAfter(trusted, headers[0])
}

/** `first` is the block after a trusted one. */
function demandAfter(trusted: TrustedBlock, first: ProvenHeader): void {
  const { height, previousBlockId } = first.header
  const isNext = height === trusted.height + 1 && previousBlockId === trusted.id
  demand(isNext, 'not-after-trusted', `height ${height} after ${trusted.height}`)
  demand(first.header.time > trusted.time, 'time-goes-back', `height ${height}`)
}

/** A header of the chain and the set of genesis; its bytes are exactly what hashes to its id. */
export function readHeader({ genesis, sha256 }: Trust, value: unknown): ProvenHeader {
  const bytes = base64Of(value, maxHeaderBytes, 'header')
  const decoded = decodeHeader(bytes)
  demand(decoded.ok, 'bad-header', decoded.ok ? undefined : decoded.reason)
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
