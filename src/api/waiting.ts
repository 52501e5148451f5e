// Requests that wait: for a message to be final, or for room. Every wait ends: by its time, when the client is gone, or
// when the server closes; and only so many may wait at one time.
import type { ServerResponse } from 'node:http'
import type { MessageId } from '../types/index.ts'
import type { FinalBlockEvent, MessageState, SubmissionPort } from './ports.ts'

/** The open waits of a server. */
export class Waits {
  readonly #maxWaiting: number
  readonly #open = new Set<() => void>()
  #isClosed = false

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /** Runs `wait` with a signal that ends it. Undefined, and nothing was run, where too many wait already. */
  async run<T>(
    context: { readonly response: ServerResponse; readonly timeoutMs: number },
    wait: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#isClosed || this.#open.size >= this.#maxWaiting) return undefined
    const controller = new AbortController()
    const end = (): void => controller.abort()
    const timer = setTimeout(end, context.timeoutMs)
    context.response.once('close', end)
    this.#open.add(end)
    try {
      return await wait(controller.signal)
    } finally {
      clearTimeout(timer)
      context.response.off('close', end)
      this.#open.delete(end)
    }
  }

  /** Ends all waits; no more begin. */
  close(): void {
    this.#isClosed = true
    for (const end of this.#open) end()
  }
}

/** Those who wait for the same, in the order in which they came: only the first tries, however many there are. */
export class WaitingLine {
  #last: Promise<void> = Promise.resolve()

  /** Runs `attempt` after those before it are done. Undefined, and nothing was run, where `signal` aborts first. */
  async inTurn<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T | undefined> {
    const before = this.#last
    const { promise: isDone, resolve: done } = Promise.withResolvers<void>()
    this.#last = before.then(() => isDone)
    try {
      await Promise.race([before, aborted(signal)])
      return signal.aborted ? undefined : await attempt()
    } finally {
      done()
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

interface Waiter {
  readonly open: Set<MessageId>
  readonly states: Map<MessageId, MessageState>
  wake: () => void
}

/** Wakes those who wait for messages, from one subscription: a final block costs one look-up for each message. */
export class FinalityWaiters {
  readonly #submission: SubmissionPort
  readonly #maxMessages: number
  readonly #waitersById = new Map<MessageId, Set<Waiter>>()
  #waitedCount = 0
  #unsubscribe: (() => void) | undefined

  constructor(submission: SubmissionPort, maxMessages: number) {
    this.#submission = submission
    this.#maxMessages = maxMessages
  }

  start(): void {
    this.#unsubscribe ??= this.#submission.onFinalBlock((event) => this.#onFinalBlock(event))
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  hasRoomFor(messageCount: number): boolean {
    return this.#waitedCount + messageCount <= this.#maxMessages
  }

  /** The states of messages, in order, once none is pending any more or `signal` aborts; then some still are. */
  async settled(ids: readonly MessageId[], signal: AbortSignal): Promise<readonly MessageState[]> {
    const waiter: Waiter = { open: new Set(ids), states: new Map(), wake: () => {} }
    const all = [...waiter.open]
    this.#add(waiter, all)
    try {
      // Asked after the waiter was added: a block final in between is either told to it or seen here.
      await this.#look(waiter)
      if (waiter.open.size > 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          waiter.wake = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
      if (waiter.open.size > 0) await this.#look(waiter)
    } finally {
      this.#remove(waiter, all)
    }
    return ids.map((id) => waiter.states.get(id) ?? { state: 'pending' })
  }

  async #look(waiter: Waiter): Promise<void> {
    const ids = [...waiter.open]
    const states = await this.#submission.messageStates(ids)
    for (const [index, id] of ids.entries()) {
      const state = states[index]
      if (state !== undefined && state.state !== 'pending' && state.state !== 'unknown')
        settle(waiter, id, state)
    }
  }

  #onFinalBlock({ height, messageIds, dropped }: FinalBlockEvent): void {
    if (this.#waitersById.size === 0) return
    for (const [index, id] of messageIds.entries()) this.#tell(id, { state: 'final', height, index })
    for (const { id, state, reason } of dropped) {
      this.#tell(id, reason === undefined ? { state } : { state, reason })
    }
  }

  #tell(id: MessageId, state: MessageState): void {
    for (const waiter of this.#waitersById.get(id) ?? []) settle(waiter, id, state)
  }

  #add(waiter: Waiter, ids: readonly MessageId[]): void {
    this.#waitedCount += ids.length
    for (const id of ids) {
      const waiters = this.#waitersById.get(id)
      if (waiters === undefined) this.#waitersById.set(id, new Set([waiter]))
      else waiters.add(waiter)
    }
  }

  #remove(waiter: Waiter, ids: readonly MessageId[]): void {
    this.#waitedCount -= ids.length
    for (const id of ids) {
      const waiters = this.#waitersById.get(id)
      waiters?.delete(waiter)
      if (waiters?.size === 0) this.#waitersById.delete(id)
    }
  }
}

function settle(waiter: Waiter, id: MessageId, state: MessageState): void {
  if (!waiter.open.delete(id)) return
  waiter.states.set(id, state)
  if (waiter.open.size === 0) waiter.wake()
}
