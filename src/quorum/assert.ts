/** What must never happen, whatever peers send: our own bug, or more lying power than the fault model allows.
 *  The process stops with the state in its log. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken'
}

export default function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantBroken(invariant)
}
