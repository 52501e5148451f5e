// The tip of the chain as this process holds it: the state that the next block builds on, and the one place where
// a block becomes part of it.
import { advance, type ChainState, convictedBy } from '../chain/index.ts'
import type { FinalBlock } from '../codec/index.ts'
import { type HeightContext, leaderOrder } from '../consensus/index.ts'
import type { Mempool, Settlement } from '../mempool/index.ts'
import { assert } from '../quorum/index.ts'
import { absentValidators, evidenceNamespace, evidenceOfMessage, isExpired } from '../sequencing/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { StateTrie, TrieWrites } from '../trie/index.ts'
import type { BatchId, Height, Message, MessageId, SequencedMessage, ValidatorIndex } from '../types/index.ts'
import type { Executed } from './execution.ts'
import { ListedBatches } from './listed-batches.ts'

/** What a final block changed, for those who wait for it. */
export interface FinalEvent {
  readonly height: Height
  readonly final: FinalBlock
  /** In sequence. */
  readonly messages: readonly SequencedMessage[]
  readonly messageIds: readonly MessageId[]
  readonly expired: readonly MessageId[]
  readonly refused: readonly { readonly id: MessageId; readonly reason: string }[]
  readonly removedBatches: readonly BatchId[]
}

export class ChainHead {
  readonly #store: ChainStore
  readonly #mempool: Mempool
  readonly #listed: ListedBatches
  readonly #powers: readonly number[]
  readonly #trie: StateTrie
  #state: ChainState

  constructor(options: {
    store: ChainStore
    mempool: Mempool
    /** Absent where nothing is signed. */
    listed?: ListedBatches
    powers: readonly number[]
    state: ChainState
    /** At the same height as `state`. */
    trie: StateTrie
  }) {
    this.#store = options.store
    this.#mempool = options.mempool
    this.#listed = options.listed ?? new ListedBatches()
    this.#powers = options.powers
    this.#state = options.state
    this.#trie = options.trie
  }

  get state(): ChainState {
    return this.#state
  }

  /** What the chain says of the height under way (protocol L1, L2). */
  context(): HeightContext {
    const { height, beacon, recentAttached, convicted } = this.#state
    const next = height + 1
    const validatorCount = this.#powers.length
    const demoted = absentValidators({ height: next, recentAttached, validatorCount })
    for (const validator of convicted) demoted.add(validator)
    return { height: next, leaders: leaderOrder({ beacon, powers: this.#powers, demoted }), demoted }
  }

  /** Makes an executed block of the next height part of the chain: one atomic, synced write (protocol V7). Calls
   *  must not overlap. */
  async append(final: FinalBlock, executed: Executed): Promise<FinalEvent> {
    const { height } = executed.header
    const { content, state } = executed
    const trie = await this.#appendToTrie(executed)
    const messageIds = content.messages.map(({ id }) => id)
    const convicted = convictedBy(content.messages)
    const refused = this.#refusedBy(executed, convicted)
    const settlement = {
      batchIds: content.batchIds,
      messageIds,
      nextHeight: height + 1,
      invalid: refused.map(({ id }) => id),
    }
    const useless = this.#uselessWith(settlement, height)
    const expired = [...new Set([...expiredIn(executed), ...this.#mempool.expiredWith(settlement)])]
    await this.#store.saveFinal({
      final,
      skipped: content.skipped,
      trie,
      removedPoolBatches: [...new Set([...content.batchIds, ...useless])],
      convicted,
      refusals: [
        ...refused.map(({ id, reason }) => ({ messageId: id, state: 'refused' as const, height, reason })),
        ...expired.map((id) => ({
          messageId: id,
          state: 'expired' as const,
          height,
          reason: expiredReason,
        })),
      ],
    })
    const settled = this.#mempool.settle(settlement)
    this.#listed.settle(height)
    this.#state = advance(this.#state, {
      block: final.block,
      batchIds: content.batchIds,
      beacon: executed.beacon,
      trie: state.top,
      convicted,
    })
    const { messages } = content
    return { height, final, messages, messageIds, expired, refused, removedBatches: settled.removed }
  }

  async #appendToTrie({ state, content }: Executed): Promise<TrieWrites> {
    const writes = await this.#trie.append(state)
    if (writes !== undefined) return writes
    // The trie keeps a bounded number of executions.
    const data = content.messages.map(({ message }) => message.data)
    const again = await this.#trie.execute(state.height - 1, data)
    assert(again?.stateRoot === state.stateRoot, 'a final block executed again gives another trie')
    const written = await this.#trie.append(again)
    assert(written !== undefined, 'a final block that does not follow the trie')
    return written
  }

  /** Batches that leave the disk with a block: those that leave the pool, but for what is listed for a later height,
   *  and those that were kept only because they were listed for this one. */
  #uselessWith(settlement: Settlement, height: Height): BatchId[] {
    const leaving = this.#mempool.leavingWith(settlement)
    const done = this.#listed.doneAt(height).filter((id) => this.#mempool.get(id) === undefined)
    return [...leaving].filter((id) => !this.#listed.isKeptAt(id, height)).concat(done)
  }

  /** Reserved messages of the block's batches that it skipped as invalid, and pending ones that it made so. */
  #refusedBy(executed: Executed, convicted: readonly ValidatorIndex[]): { id: MessageId; reason: string }[] {
    const { batches, messages, skipped } = executed.content
    if (skipped.length === 0 && convicted.length === 0) return []
    const taken = new Set(messages.map(({ id }) => id))
    const refused: { id: MessageId; reason: string }[] = []
    for (const { batch, message } of skipped) {
      const id = batches[batch]?.messageIds[message]
      const body = batches[batch]?.messages[message]
      if (id === undefined || body === undefined || taken.has(id) || !body.namespace?.startsWith('diseq/'))
        continue
      const known = evidenceAgainst(body, [...this.#state.convicted, ...convicted])
      refused.push({ id, reason: known ?? 'not valid in its reserved namespace' })
    }
    if (convicted.length === 0) return refused
    for (const { batch } of this.#mempool.oldest(Number.MAX_SAFE_INTEGER)) {
      for (const [at, message] of batch.messages.entries()) {
        const id = batch.messageIds[at]
        const reason = evidenceAgainst(message, convicted)
        if (id !== undefined && reason !== undefined && !taken.has(id)) refused.push({ id, reason })
      }
    }
    return refused
  }
}

/** Why a message is refused that is evidence against one of these; undefined where it is none. */
function evidenceAgainst(message: Message, convicted: readonly ValidatorIndex[]): string | undefined {
  if (message.namespace !== evidenceNamespace) return undefined
  const evidence = evidenceOfMessage(message)
  if (!evidence.ok || !convicted.includes(evidence.value.validator)) return undefined
  return `evidence against validator ${evidence.value.validator} is in the chain already`
}

const expiredReason = 'its expiresAt passed'

function expiredIn({ content, header }: Executed): MessageId[] {
  return content.skipped.flatMap(({ batch, message }) => {
    const skipped = content.batches[batch]
    const id = skipped?.messageIds[message]
    const body = skipped?.messages[message]
    return id !== undefined && body !== undefined && isExpired(body, header.height) ? [id] : []
  })
}
