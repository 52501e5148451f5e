// Validators that were caught contradicting themselves: one piece of evidence each, kept on disk, and brought into the
// chain as a message (protocol E1). A full pool refuses that message like any other, so it is offered again with each
// block until it is taken or someone else's is in the chain.

import { encodePoolCommitmentBody, encodeProposalBody, encodeVoteBody } from '../codec/index.ts'
import type { Contradiction } from '../consensus/index.ts'
import { makeEvidence, messageOfEvidence } from '../sequencing/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { Evidence, Message, SignedPayload, ValidatorIndex } from '../types/index.ts'
import type { Log } from './ports.ts'
import type { Submission } from './submission.ts'

export interface CaughtOptions {
  readonly store: Pick<ChainStore, 'saveStep'>
  readonly log: Log
  readonly submit: (messages: readonly Message[]) => Promise<Submission>
  /** Whether the chain has evidence against it. */
  readonly isConvicted: (validator: ValidatorIndex) => boolean
  readonly onFatal: (error: unknown) => void
}

export class Caught {
  readonly #options: CaughtOptions
  readonly #evidence = new Map<ValidatorIndex, Evidence>()
  /** Whose message is being offered, or in the pool for good: what was accepted stays until it is in the chain. */
  readonly #offered = new Set<ValidatorIndex>()

  constructor(options: CaughtOptions) {
    this.#options = options
  }

  /** One piece of evidence for each validator that was caught. */
  get evidence(): readonly Evidence[] {
    return [...this.#evidence.values()]
  }

  /** What the disk holds from before the start. */
  restore(stored: Iterable<Evidence>): void {
    for (const evidence of stored) this.#evidence.set(evidence.validator, evidence)
    this.offer()
  }

  /** Verified evidence. False where the validator was caught before. */
  add(evidence: Evidence): boolean {
    const { validator } = evidence
    const { store, log, onFatal } = this.#options
    if (this.#evidence.has(validator)) return false
    this.#evidence.set(validator, evidence)
    log.warn(
      { validator, height: evidence.height, kinds: [evidence.first.kind, evidence.second.kind] },
      'a validator signed two things that contradict each other',
    )
    store.saveStep({ evidence: [evidence] }).catch(onFatal)
    this.offer()
    return true
  }

  /** Offers to the pool what is not in the chain and was not taken yet. To be called after each final block. */
  offer(): void {
    const { submit, isConvicted, onFatal } = this.#options
    for (const [validator, evidence] of this.#evidence) {
      if (this.#offered.has(validator) || isConvicted(validator)) continue
      this.#offered.add(validator)
      submit([messageOfEvidence(evidence)]).then(({ kind }) => {
        if (kind !== 'accepted') this.#offered.delete(validator)
      }, onFatal)
    }
  }
}

/** Evidence of two things that the core found to contradict each other; undefined where they convict nobody. */
export function evidenceOf([a, b]: readonly [Contradiction, Contradiction]): Evidence | undefined {
  return makeEvidence({ validator: signerOf(a), payloads: [payloadOf(a), payloadOf(b)] })
}

function payloadOf(item: Contradiction): SignedPayload {
  switch (item.kind) {
    case 'vote':
      return { kind: item.vote.kind, bytes: encodeVoteBody(item.vote), signature: item.vote.signature }
    case 'proposal':
      return {
        kind: 'proposal',
        bytes: encodeProposalBody(item.proposal),
        signature: item.proposal.signature,
      }
    case 'pool-commitment':
      return {
        kind: 'pool-commitment',
        bytes: encodePoolCommitmentBody(item.commitment),
        signature: item.commitment.signature,
      }
  }
}

function signerOf(item: Contradiction): ValidatorIndex {
  if (item.kind === 'vote') return item.vote.validator
  return item.kind === 'proposal' ? item.proposal.leader : item.commitment.validator
}
