// What comes in of the next height before this one is over. Those who finished sooner are not asked to repeat
// themselves; what finds no room here, they push again.
import { blockOf } from './certificates.ts'
import { equalBytes, noteOwnCommitment } from './collecting.ts'
import type { Input } from './input.ts'
import { type CoreState, certificateSender, nextHeightInputsPerValidator } from './state.ts'

/** Keeps an input of the next height until that starts: a few of each validator. */
export function deferToNextHeight(state: CoreState, input: Input): void {
  const sender = senderOf(input)
  if (sender === undefined) return
  if (input.kind === 'pool-commitment' && sender === state.config.self)
    noteOwnCommitment(state, input.commitment)
  const kept = state.next.get(sender) ?? []
  // Peers push what is theirs again and again; the copies must not take the room of what comes after.
  if (kept.length >= nextHeightInputsPerValidator || kept.some((other) => isSame(other, input))) return
  state.next.set(sender, [...kept, input])
}

/** Whether two inputs of one sender say the same. */
function isSame(a: Input, b: Input): boolean {
  if (a.kind === 'pool-commitment' && b.kind === 'pool-commitment')
    return equalBytes(a.commitment.bytes, b.commitment.bytes)
  if (a.kind === 'vote' && b.kind === 'vote')
    return a.vote.kind === b.vote.kind && a.vote.view === b.vote.view && blockOf(a.vote) === blockOf(b.vote)
  if (a.kind === 'certificate' && b.kind === 'certificate')
    return a.certificate.kind === b.certificate.kind && a.certificate.view === b.certificate.view
  return (
    a.kind === 'proposal' &&
    b.kind === 'proposal' &&
    a.proposal.view === b.proposal.view &&
    a.proposal.blockId === b.proposal.blockId &&
    (a.proposal.block === undefined) === (b.proposal.block === undefined)
  )
}

function senderOf(input: Input): number | undefined {
  if (input.kind === 'pool-commitment') return input.commitment.validator
  if (input.kind === 'vote') return input.vote.validator
  if (input.kind === 'proposal') return input.proposal.leader
  return input.kind === 'certificate' ? certificateSender : undefined
}
