// Invariant 2: no honest validator contradicts itself, over all its crashes. Goes by what was on the wire, whoever
// sent it: an honest validator's signature can be made by nobody else.
import type { Height, PoolCommitment, Proposal, ValidatorIndex, Vote } from '../../types/index.ts'
import type { CheckContext, Frame } from './judge.ts'

export class SignatureCheck {
  readonly #context: CheckContext
  /** What was signed, by height, then by kind, view and validator. */
  readonly #signed = new Map<Height, Map<string, string>>()
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
    for (const signed of this.#signed.keys()) if (signed < height) this.#signed.delete(signed)
  }

  #onVote(vote: Vote): void {
    const { kind, height, view, validator } = vote
    const said = vote.kind === 'nullify' ? '' : vote.blockId
    this.#note(validator, height, `${kind}/${view}`, said)
    const opposite = kind === 'nullify' ? 'finalize' : kind === 'finalize' ? 'nullify' : undefined
    if (
      opposite !== undefined &&
      this.#signed.get(height)?.has(`${opposite}/${view}/${validator}`) &&
      this.#context.isHonest(validator)
    )
      this.#context.report(
        'double signing',
        `validator ${validator} signed finalize and nullify of height ${height} view ${view}`,
      )
  }

  #onProposal({ height, view, leader, blockId, block }: Proposal): void {
    this.#note(leader, height, `proposal/${view}`, blockId)
    if (block !== undefined && block.header.view < view)
      this.#note(block.header.leader, height, `proposal/${block.header.view}`, block.id)
  }

  #onCommitment({ validator, height, bytes }: PoolCommitment): void {
    const said = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    this.#note(validator, height, 'pool-commitment/', said)
  }

  #note(validator: ValidatorIndex, height: Height, what: string, said: string): void {
    if (!this.#context.isHonest(validator)) return
    this.#checkedCount += 1
    const signed = this.#signed.get(height) ?? new Map<string, string>()
    this.#signed.set(height, signed)
    const key = `${what}/${validator}`
    const before = signed.get(key)
    if (before === undefined) signed.set(key, said)
    else if (before !== said)
      this.#context.report(
        'double signing',
        `validator ${validator} signed two different ${what} of height ${height}: ${short(before)} and ${short(said)}`,
      )
  }
}

/** The start of what was signed, an id or bytes, for a person to read. */
function short(said: string): string {
  return /^[0-9a-f]*$/.test(said) ? said.slice(0, 12) : `${said.length} bytes`
}
