// What makes a vote safe (protocol §3.6), from outside: when an honest validator notarizes a block in a later view, the
// certificates that justify it must be possible. A certificate is possible if the honest votes for it that were sent,
// with all that liars may sign unseen, are a quorum. And each certificate is sent on by somebody who saw it.
import type { BlockId, Certificate, Height, ValidatorIndex, View, VoteKind } from '../../types/index.ts'
import { type CheckContext, type Frame, thresholdsOfModel } from './judge.ts'

export class JustificationCheck {
  readonly #context: CheckContext
  readonly #powers: readonly number[]
  readonly #quorum: number
  /** Who sent which vote, by height; of all heights, since a slow node may vote long after others are further. */
  readonly #votes = new Map<Height, Map<string, Set<ValidatorIndex>>>()
  /** The view in which a block was made. */
  readonly #madeIn = new Map<BlockId, View>()
  readonly #forwarded = new Set<Height>()
  #checkedCount = 0

  constructor(context: CheckContext) {
    this.#context = context
    this.#powers = context.genesis.validators.map(({ power }) => power)
    this.#quorum = thresholdsOfModel(this.#powers, context.genesis.faultModel).quorum
  }

  get checkedCount(): number {
    return this.#checkedCount
  }

  /** An honest node sends a frame to all. */
  onSent(frame: Frame): void {
    if (frame.kind === 'certificate' && frame.certificate.kind === 'finalization')
      this.#forwarded.add(frame.certificate.height)
    if (frame.kind !== 'vote') return
    const { vote } = frame
    if (vote.kind === 'notarize' && vote.view > 0) this.#checkNotarize(vote.height, vote.view, vote.blockId)
  }

  /** A frame is sent or arrives. Votes from before a restart may be seen in certificates only. */
  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'vote':
        this.#note(frame.vote.kind, frame.vote, [frame.vote.validator])
        return
      case 'certificate':
        this.#onCertificate(frame.certificate)
        return
      case 'block':
        this.#madeIn.set(frame.block.id, frame.block.header.view)
        return
      case 'proposal': {
        const { block, justification } = frame.proposal
        if (block !== undefined) this.#madeIn.set(block.id, block.header.view)
        for (const certificate of justification) this.#onCertificate(certificate)
      }
    }
  }

  /** The first honest node has a block final. It comes of votes, so the node sent its finalization on; with liars
   *  about it may have come another way. */
  onBlock(height: Height, { hasLiars }: { hasLiars: boolean }): void {
    if (!hasLiars && !this.#forwarded.has(height))
      this.#context.report('forwarding', `block ${height} is final, and nobody sent its finalization on`)
    this.#forwarded.delete(height - 8)
  }

  #onCertificate(certificate: Certificate): void {
    const kinds = { notarization: 'notarize', nullification: 'nullify', finalization: 'finalize' } as const
    const voters = certificate.signatures.map(({ validator }) => validator)
    this.#note(kinds[certificate.kind], certificate, voters)
  }

  #note(
    kind: VoteKind,
    of: { readonly height: Height; readonly view: View; readonly blockId?: BlockId },
    validators: readonly ValidatorIndex[],
  ): void {
    const votes = this.#votes.get(of.height) ?? new Map<string, Set<ValidatorIndex>>()
    this.#votes.set(of.height, votes)
    const key = `${kind}/${of.view}/${of.blockId ?? ''}`
    const voters = votes.get(key) ?? new Set<ValidatorIndex>()
    votes.set(key, voters)
    for (const validator of validators) voters.add(validator)
  }

  #checkNotarize(height: Height, view: View, blockId: BlockId): void {
    const madeIn = this.#madeIn.get(blockId)
    if (madeIn === undefined) return
    this.#checkedCount += 1
    for (let below = view - 1; below >= 0; below--) {
      if (madeIn < view && this.#isPossible(height, `notarize/${below}/${blockId}`)) return
      if (this.#isPossible(height, `nullify/${below}/`)) continue
      this.#context.report(
        'justification',
        `an honest validator notarizes ${blockId.slice(0, 8)}, made in view ${madeIn}, in view ${view} of height ${height}, and nothing in view ${below} allows it`,
      )
      return
    }
    if (madeIn < view)
      this.#context.report(
        'justification',
        `an honest validator notarizes ${blockId.slice(0, 8)} again in view ${view} of height ${height}, which can't have been notarized`,
      )
  }

  #isPossible(height: Height, key: string): boolean {
    const voters = this.#votes.get(height)?.get(key)
    let power = 0
    for (const [validator, each] of this.#powers.entries()) {
      if (!this.#context.isHonest(validator) || voters?.has(validator)) power += each
    }
    return power >= this.#quorum
  }
}
