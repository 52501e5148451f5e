// Gives no vote unless a quorum lacks its own and nothing else; then it votes for that, whatever else it voted for. In a view
// that it leads it first makes a few nullify, so few that the rest don't, and lets the others finalize: of such a view comes
// no finalization and no nullification, and nobody gets on but by the notarization that its vote made. Once it fell and
// rose, which it takes for a power failure of all, it denies what it gave: the others have what they saved.
import { encodeVoteBody, type Frame } from '../../codec/index.ts'
import { leaderOf } from '../../consensus/index.ts'
import type { ValidatorIndex, VoteBody } from '../../types/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'
import { thresholdsOfModel } from '../checks/judge.ts'

export const voteCompleter: MakeBehaviour = ({
  self,
  side,
  genesis,
  random,
  sign,
  others,
  sendFrame,
  replica,
}) => {
  const powers = genesis.validators.map(({ power }) => power)
  const { quorum, faulty } = thresholdsOfModel(powers, genesis.faultModel)
  const ownPower = powers[self] ?? 0
  /** Who voted for what, at the height under way. */
  const voters = new Map<string, Set<ValidatorIndex>>()
  let height = 0
  let deniedHeight = 0
  let process = replica()

  const give = (body: VoteBody, to: readonly number[]): void => {
    const vote = { ...body, validator: self, signature: sign(body.kind, encodeVoteBody(body)) }
    for (const each of to) sendFrame(each, { kind: 'vote', vote })
  }
  const powerOf = (names: Iterable<ValidatorIndex>) =>
    [...names].reduce((sum, validator) => sum + (powers[validator] ?? 0), 0)
  const votersOf = (body: VoteBody): Set<ValidatorIndex> => {
    const key = `${body.kind}/${body.view}/${body.kind === 'nullify' ? '' : body.blockId}`
    const known = voters.get(key) ?? new Set()
    voters.set(key, known)
    return known
  }
  const lacksOwnOnly = (known: Iterable<ValidatorIndex>) => {
    const lacking = quorum - powerOf(known)
    return lacking > 0 && lacking <= ownPower
  }
  /** As many as can nullify without the rest having to. */
  const few = (): number[] => {
    const chosen: number[] = []
    for (const each of random.shuffle(others.filter((other) => other < powers.length)))
      if (powerOf([...chosen, each]) <= faulty) chosen.push(each)
    return chosen
  }
  const isLedBySelf = (view: number) => {
    const core = replica()?.core
    return (
      core !== undefined && core.context.height === height && leaderOf(core.context.leaders, view) === self
    )
  }
  /** Notarizations of its own views that wait for the few to nullify. */
  const held = new Map<number, VoteBody>()

  const onVote = (body: VoteBody, known: Set<ValidatorIndex>): void => {
    const { view } = body
    if (body.kind === 'notarize' && isLedBySelf(view) && lacksOwnOnly(known)) {
      if (!held.has(view)) give({ kind: 'nullify', height, view }, few())
      held.set(view, body)
      return
    }
    const waiting = held.get(view)
    if (body.kind === 'nullify' && waiting !== undefined) {
      if (powerOf(known) <= faulty) give(waiting, others)
      return
    }
    if (lacksOwnOnly(known)) give(body, [...known])
  }

  return {
    onReceive: (frame: Frame) => {
      const own = replica()
      if (own !== process && process !== undefined) deniedHeight = height
      process = own
      if (frame.kind !== 'vote' || frame.vote.validator === self) return true
      const { validator, signature: _, ...body } = frame.vote
      if (body.height < height || body.height <= deniedHeight) return true
      if (body.height > height) {
        voters.clear()
        held.clear()
      }
      height = body.height
      const known = votersOf(body)
      known.add(validator)
      onVote(body, known)
      return true
    },
    onSend: (frame) => {
      if (frame.kind === 'vote' || frame.kind === 'certificate') return []
      // A twin's commitment beside its own would convict it before it ever led.
      return frame.kind === 'pool-commitment' && side === 1 ? [] : [frame]
    },
    asks: (kind) => kind !== 'view',
    answerView: () => [],
  }
}
