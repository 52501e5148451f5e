// What this validator signs: asked of the signing record, which refuses by itself (protocol D3). Signing is off
// where the node is no validator, or where its record cannot be trusted; the node then follows.
import { encodePoolCommitmentBody, encodeProposalBody, encodeVoteBody } from '../codec/index.ts'
import type { RecordedSignature, RefusalCode, SigningRecord, SigningRequest } from '../storage/index.ts'
import { SigningRefused } from '../storage/index.ts'
import type { Height, PoolCommitment, Proposal, ValidatorIndex, Vote, VoteBody } from '../types/index.ts'
import type { Log } from './ports.ts'

/** Something to be signed, and what becomes of the signature. */
export type Unsigned =
  | { readonly kind: 'vote'; readonly body: VoteBody }
  | { readonly kind: 'proposal'; readonly proposal: Omit<Proposal, 'leader' | 'signature'> }
  | {
      readonly kind: 'pool-commitment'
      readonly commitment: Pick<PoolCommitment, 'height' | 'time' | 'entries'>
    }

export type Signed =
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'pool-commitment'; readonly commitment: PoolCommitment }

/** As it should be, for some heights: after an import, and while a node whose database was made anew fetches the chain
 *  that its record remembers. */
const notYet: readonly RefusalCode[] = [
  'no-floor',
  'below-floor',
  'commitment-height-passed',
  'vote-height-passed',
]

export class Signing {
  readonly #record: SigningRecord
  readonly #validator: ValidatorIndex
  readonly #log: Log
  #refusedCount = 0

  constructor(options: { record: SigningRecord; validator: ValidatorIndex; log: Log }) {
    this.#record = options.record
    this.#validator = options.validator
    this.#log = options.log
  }

  /** Running number of the last signature that is on disk. */
  get number(): number {
    return this.#record.number
  }

  get refusedCount(): number {
    return this.#refusedCount
  }

  /** Whether nothing is signed until `setSignFrom`: the record was imported, or started over. */
  get awaitsFloor(): boolean {
    return this.#record.imported
  }

  /** Signs from a height on; durable when it resolves. */
  setSignFrom(height: Height): Promise<void> {
    return this.#record.setSignFrom(height)
  }

  /** All that was signed for the heights under way. */
  entries(): readonly RecordedSignature[] {
    return this.#record.entries()
  }

  /** Signs, in order; the signatures are in the record, durably, when it resolves. What the record refuses is left
   *  out, logged and counted. */
  async signAll(wanted: readonly Unsigned[]): Promise<Signed[]> {
    const requests = wanted.map(requestOf)
    const signatures = await this.#signEach(requests)
    return wanted.flatMap((item, at) => {
      const signature = signatures[at]
      const request = requests[at]
      return signature === undefined || request === undefined
        ? []
        : [this.#complete(item, request.bytes, signature)]
    })
  }

  async #signEach(requests: readonly SigningRequest[]): Promise<(Uint8Array | undefined)[]> {
    try {
      return (await this.#record.signAll(requests)).signatures
    } catch (error) {
      if (!(error instanceof SigningRefused) || error.code === 'record-failed') throw error
      if (requests.length === 1) {
        const about = { code: error.code, asked: error.asked, signed: error.signed }
        if (notYet.includes(error.code)) {
          this.#log.debug(about, 'does not sign yet')
          return [undefined]
        }
        this.#refusedCount += 1
        this.#log.warn(about, 'the signing record refused')
        return [undefined]
      }
    }
    const signatures: (Uint8Array | undefined)[] = []
    for (const request of requests) signatures.push(...(await this.#signEach([request])))
    return signatures
  }

  #complete(item: Unsigned, bytes: Uint8Array, signature: Uint8Array): Signed {
    const validator = this.#validator
    switch (item.kind) {
      case 'vote':
        return { kind: 'vote', vote: { ...item.body, validator, signature } }
      case 'proposal':
        return { kind: 'proposal', proposal: { ...item.proposal, leader: validator, signature } }
      case 'pool-commitment':
        return { kind: 'pool-commitment', commitment: { ...item.commitment, validator, bytes, signature } }
    }
  }
}

function requestOf(item: Unsigned): SigningRequest {
  switch (item.kind) {
    case 'vote':
      return { kind: item.body.kind, bytes: encodeVoteBody(item.body) }
    case 'proposal':
      return { kind: 'proposal', bytes: encodeProposalBody(item.proposal) }
    case 'pool-commitment':
      return { kind: 'pool-commitment', bytes: encodePoolCommitmentBody(item.commitment) }
  }
}
