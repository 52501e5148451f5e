// Invariant 2: no honest validator contradicts itself, over all its crashes. Goes by what was on the wire, whoever
// sent it: an honest validator's signature can be made by nobody else.
import { encodePoolCommitmentBody } from '../../codec/index.ts'
import type { PoolCommitment, Proposal, ValidatorIndex, Vote } from '../../types/index.ts'
import type { CheckContext, Frame } from './judge.ts'

export class SignatureCheck {
  readonly #context: CheckContext
  /** What a validator signed, by kind, height and view. */
  readonly #signed: Map<string, string>[] = []
  #checkedCount = 0

  constructor(context: CheckContext) {
    this.#context = context
  }

  get checkedCount(): number {
    return this.#checkedCount
  }

  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'vote':
        this.#onVote(frame.vote)
        return
      case 'proposal':
        this.#onProposal(frame.proposal)
        for (const commitment of frame.proposal.block?.commitments ?? []) this.#onCommitment(commitment)
        return
      case 'pool-commitment':
        this.#onCommitment(frame.commitment)
    }
  }

  /** Forgets what is far below: heights that long are final for all. */
  forgetBelow(height: number): void {
    for (const signed of this.#signed) {
      for (const key of signed?.keys() ?? []) if (Number(key.split('/')[1]) < height) signed.delete(key)
    }
  }

  #onVote(vote: Vote): void {
    const { kind, height, view, validator } = vote
    const said = vote.kind === 'nullify' ? '' : vote.blockId
    this.#note(validator, `${kind}/${height}/${view}`, said)
    const opposite = kind === 'nullify' ? 'finalize' : kind === 'finalize' ? 'nullify' : undefined
    if (
      opposite !== undefined &&
      this.#signed[validator]?.has(`${opposite}/${height}/${view}`) &&
      this.#context.isHonest(validator)
    )
      this.#context.report(
        'double signing',
        `validator ${validator} signed finalize and nullify of height ${height} view ${view}`,
      )
  }

  #onProposal({ height, view, leader, blockId, block }: Proposal): void {
    this.#note(leader, `proposal/${height}/${view}`, blockId)
    if (block !== undefined && block.header.view < view)
      this.#note(block.header.leader, `proposal/${height}/${block.header.view}`, block.id)
  }

  #onCommitment(commitment: PoolCommitment): void {
    const { validator, height } = commitment
    this.#note(
      validator,
      `pool-commitment/${height}/`,
      Buffer.from(encodePoolCommitmentBody(commitment)).toString('base64'),
    )
  }

  #note(validator: ValidatorIndex, key: string, said: string): void {
    if (!this.#context.isHonest(validator)) return
    this.#checkedCount += 1
    this.#signed[validator] ??= new Map()
    const signed = this.#signed[validator]
    const before = signed.get(key)
    if (before === undefined) signed.set(key, said)
    else if (before !== said)
      this.#context.report(
        'double signing',
        `validator ${validator} signed two different ${key}: ${before.slice(0, 12)} and ${said.slice(0, 12)}`,
      )
  }
}
