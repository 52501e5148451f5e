// Invariants 5 and 7, and "exactly once" of 4: every final block's content, made again from its commitments by a second
// implementation of §3.3 that shares nothing with the first but the encodings; its leader; and what §3.3 promises of
// inclusion and order, from what honest validators sent.
import { convictedBy } from '../../chain/index.ts'
import { encodeMessage, type FinalBlock } from '../../codec/index.ts'
import { leaderOrder } from '../../consensus/index.ts'
import { beaconOf, sha256, sha256Hex, toHex } from '../../crypto/native/index.ts'
import type {
  Batch,
  BatchId,
  Hash,
  Height,
  MessageId,
  PoolCommitment,
  ValidatorIndex,
  View,
} from '../../types/index.ts'
import { type CheckContext, type FinalEvent, thresholdsOfModel } from './judge.ts'

interface Place {
  readonly id: BatchId
  readonly fairTime: number
  readonly tie: string
}

const absenceWindow = 16

export class ContentCheck {
  readonly #context: CheckContext
  readonly #powers: readonly number[]
  readonly #faulty: number
  readonly #batches = new Map<BatchId, Height>()
  readonly #messages = new Map<MessageId, Height>()
  readonly #convicted = new Set<ValidatorIndex>()
  readonly #attached: Set<ValidatorIndex>[] = []
  /** Commitments that honest validators sent, by height and validator. */
  readonly #sent = new Map<Height, Map<ValidatorIndex, PoolCommitment>>()
  #beacon: Hash | undefined
  #height: Height = 0
  #finalView: View | undefined
  #checkedCount = 0
  #inclusionCount = 0

  constructor(context: CheckContext) {
    this.#context = context
    this.#powers = context.genesis.validators.map(({ power }) => power)
    this.#faulty = thresholdsOfModel(this.#powers, context.genesis.faultModel).faulty
  }

  /** Blocks compared, and batches whose inclusion was due. */
  get counts(): { blocks: number; inclusions: number } {
    return { blocks: this.#checkedCount, inclusions: this.#inclusionCount }
  }

  /** Where a message is in the chain. */
  heightOf(id: MessageId): Height | undefined {
    return this.#messages.get(id)
  }

  onCommitmentSent(commitment: PoolCommitment): void {
    const sent = this.#sent.get(commitment.height) ?? new Map<ValidatorIndex, PoolCommitment>()
    sent.set(commitment.validator, commitment)
    this.#sent.set(commitment.height, sent)
    this.#checkAhead(commitment)
  }

  /** A commitment for h+1 made along with finalize(B) lists the pool as it would be with B in the chain. Who sent it
   *  knew no other block where B is final in view 0. */
  #checkAhead({ height, validator, entries }: PoolCommitment): void {
    if (this.#finalView !== 0 || height !== this.#height + 1) return
    const again = entries.find(({ batchId }) => this.#batches.get(batchId) === this.#height)
    if (again !== undefined)
      this.#context.report(
        'content',
        `validator ${validator} lists ${again.batchId.slice(0, 8)} for height ${height}, which is in the block before`,
      )
  }

  /** The block after the last one that was told. */
  onBlock({ height, final, messageIds }: FinalEvent): void {
    const { report, schemes } = this.#context
    const { block } = final
    this.#checkedCount += 1
    this.#checkLeader(final, height)
    const output = schemes.vrfOutputOf(block.header.vrfProof)
    if (output === undefined) report('content', `block ${height} has no beacon`)
    const beacon = output === undefined ? undefined : beaconOf(output)
    if (beacon !== undefined) this.#checkBatches(final, this.#order(block.commitments, beacon))
    this.#checkInclusion(final, height)
    this.#checkHonestOrder(final)
    for (const { id } of final.batches) this.#batches.set(id, height)
    this.#checkMessages(final, height, messageIds)
    for (const validator of convictedBy(sequenced(final.batches, new Set(messageIds))))
      this.#convicted.add(validator)
    this.#attached.push(new Set(block.commitments.map(({ validator }) => validator)))
    this.#beacon = beacon
    this.#sent.delete(height)
    this.#height = height
    this.#finalView = final.finalization.view
    for (const commitment of this.#sent.get(height + 1)?.values() ?? []) this.#checkAhead(commitment)
  }

  /** Membership and order: listed by power > f, not in the chain; first time at which the power exceeds f. */
  #order(commitments: readonly PoolCommitment[], beacon: Hash): Place[] {
    const listings = new Map<BatchId, { time: number; power: number }[]>()
    for (const { validator, entries } of commitments) {
      for (const { batchId, receivedAt } of entries) {
        const list = listings.get(batchId) ?? []
        list.push({ time: receivedAt, power: this.#powers[validator] ?? 0 })
        listings.set(batchId, list)
      }
    }
    const places: Place[] = []
    for (const [id, list] of listings) {
      if (this.#batches.has(id)) continue
      let power = 0
      const decisive = list
        .sort((a, b) => a.time - b.time)
        .find((listing) => {
          power += listing.power
          return power > this.#faulty
        })
      if (decisive === undefined) continue
      const tie = toHex(sha256(Buffer.from(beacon + id, 'hex')))
      places.push({ id, fairTime: decisive.time, tie })
    }
    return places.sort((a, b) => a.fairTime - b.fairTime || (a.tie < b.tie ? -1 : 1))
  }

  #checkBatches(final: FinalBlock, order: readonly Place[]): void {
    const { report, genesis } = this.#context
    const { height } = final.block.header
    let sizeBytes = 0
    for (const [at, batch] of final.batches.entries()) {
      sizeBytes += batch.bytes.length
      if (order[at]?.id !== batch.id)
        report(
          'content',
          `block ${height} has ${batch.id.slice(0, 8)} at ${at}, its commitments say ${order[at]?.id.slice(0, 8)}`,
        )
    }
    const { maxBlockBatches, maxBlockBytes } = genesis.limits
    if (final.batches.length > maxBlockBatches || (sizeBytes > maxBlockBytes && final.batches.length > 1))
      report('content', `block ${height} is larger than genesis allows`)
    const isFull =
      final.batches.length === maxBlockBatches || sizeBytes > maxBlockBytes - genesis.limits.maxBatchBytes
    if (order.length > final.batches.length && !isFull)
      report(
        'content',
        `block ${height} leaves out ${order.length - final.batches.length} batches that its commitments demand`,
      )
  }

  #checkMessages(final: FinalBlock, height: Height, messageIds: readonly MessageId[]): void {
    const { report } = this.#context
    const inBlock = new Set(messageIds)
    const due: MessageId[] = []
    const taken = new Set<MessageId>()
    for (const batch of final.batches) {
      for (const message of batch.messages) {
        const id = sha256Hex(encodeMessage(message)) as MessageId
        const isExpired = message.expiresAt !== undefined && message.expiresAt < height
        if (taken.has(id) || this.#messages.has(id) || isExpired) continue
        // What is valid in a reserved namespace is settled by the block itself, and by agreement on it.
        if (message.namespace?.startsWith('diseq/') && !inBlock.has(id)) continue
        taken.add(id)
        due.push(id)
      }
    }
    if (due.join() !== messageIds.join())
      report(
        'content',
        `block ${height} has ${messageIds.length} messages where its batches have ${due.length} that are due`,
      )
    for (const id of messageIds) {
      const before = this.#messages.get(id)
      if (before !== undefined)
        report('exactly once', `message ${id.slice(0, 8)} is in blocks ${before} and ${height}`)
      this.#messages.set(id, height)
    }
    if (final.block.header.messageCount !== messageIds.length)
      report('content', `the header of block ${height} counts ${final.block.header.messageCount} messages`)
  }

  #checkLeader(final: FinalBlock, height: Height): void {
    const { header } = final.block
    if (this.#beacon === undefined && height > 1) return
    const demoted = new Set(this.#convicted)
    if (height > absenceWindow) {
      const recent = this.#attached.slice(-absenceWindow)
      for (const validator of this.#powers.keys()) {
        if (!recent.some((attached) => attached.has(validator))) demoted.add(validator)
      }
    }
    if (this.#beacon === undefined) return
    const order = leaderOrder({ beacon: this.#beacon, powers: this.#powers, demoted })
    if (order[header.view % order.length] !== header.leader)
      this.#context.report(
        'leader',
        `validator ${header.leader} made block ${height} in view ${header.view}, which it does not lead`,
      )
  }

  /** "Once every honest validator lists a batch in its commitment for h, no leader can leave it out of block h." */
  #checkInclusion(final: FinalBlock, height: Height): void {
    const { isHonest, genesis, report } = this.#context
    const sent = this.#sent.get(height)
    if (sent === undefined) return
    const honest = [...this.#powers.keys()].filter(isHonest)
    if (!honest.every((validator) => sent.has(validator))) return
    const inBlock = new Set(final.batches.map(({ id }) => id))
    const sizeBytes = final.batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const { maxBlockBatches, maxBlockBytes, maxBatchBytes } = genesis.limits
    if (inBlock.size >= maxBlockBatches || sizeBytes > maxBlockBytes - maxBatchBytes) return
    const counts = new Map<BatchId, number>()
    for (const validator of honest) {
      for (const { batchId } of sent.get(validator)?.entries ?? [])
        counts.set(batchId, (counts.get(batchId) ?? 0) + 1)
    }
    for (const [id, count] of counts) {
      if (count < honest.length || this.#batches.has(id)) continue
      this.#inclusionCount += 1
      if (!inBlock.has(id))
        report(
          'inclusion',
          `every honest validator listed ${id.slice(0, 8)} for height ${height}, and it is not in the block`,
        )
    }
  }

  /** X stands before Y where all honest attached times of X are before all of Y, and honest power > f lists X. */
  #checkHonestOrder(final: FinalBlock): void {
    const { isHonest, report } = this.#context
    const times = new Map<BatchId, { first: number; last: number; power: number }>()
    for (const { validator, entries } of final.block.commitments) {
      if (!isHonest(validator)) continue
      for (const { batchId, receivedAt } of entries) {
        const known = times.get(batchId) ?? { first: Number.POSITIVE_INFINITY, last: 0, power: 0 }
        times.set(batchId, {
          first: Math.min(known.first, receivedAt),
          last: Math.max(known.last, receivedAt),
          power: known.power + (this.#powers[validator] ?? 0),
        })
      }
    }
    // From the end: the earliest "all honest had it by then" of what stands behind.
    let earliest = Number.POSITIVE_INFINITY
    for (const { id } of final.batches.toReversed()) {
      const time = times.get(id)
      if (time !== undefined && earliest < time.first)
        report(
          'order',
          `in block ${final.block.header.height}, ${id.slice(0, 8)} stands before what all honest validators had sooner`,
        )
      if (time !== undefined && time.power > this.#faulty) earliest = Math.min(earliest, time.last)
    }
  }
}

function sequenced(batches: readonly Batch[], ids: ReadonlySet<MessageId>) {
  return batches.flatMap(({ messages, messageIds }) =>
    messages.flatMap((message, at) => {
      const id = messageIds[at]
      return id !== undefined && ids.has(id) ? [{ id, message }] : []
    }),
  )
}
