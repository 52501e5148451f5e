// Virtual time. Everything that happens in a run is an event here: one happens, all that follows from it without
// waiting happens, then the next one. Nothing else in the simulator knows what comes first.

/** A turn of the event loop costs more than many an event does. */
const eventsPerTurn = 8

interface Event {
  readonly atMs: number
  /** Of two events at one time the one that was scheduled first happens first. */
  readonly order: number
  action: (() => void) | undefined
}

export class Scheduler {
  /** A binary heap, the next event first. */
  readonly #heap: Event[] = []
  #nowMs = 0
  #order = 0
  #eventCount = 0

  /** Since the run began; a real number. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Events that have happened. */
  get eventCount(): number {
    return this.#eventCount
  }

  /** Runs `action` once, `delayMs` from now; the function returned takes it back. */
  after(delayMs: number, action: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, action }
    this.#push(event)
    return () => {
      event.action = undefined
    }
  }

  /** Lets events happen up to a time, or until `isDone` after one of them. */
  async runUntil(untilMs: number, isDone: () => boolean): Promise<void> {
    let isFirst = true
    while (!isDone()) {
      const event = this.#heap[0]
      if (event === undefined || event.atMs > untilMs) break
      this.#pop()
      if (event.action === undefined) continue
      this.#nowMs = event.atMs
      this.#eventCount += 1
      event.action()
      // Whoever called this may be a tick, and the next one would not wait for promises then.
      if (isFirst || this.#eventCount % eventsPerTurn === 0) await nextTurn()
      else await allSettled()
      isFirst = false
    }
    if (!isDone()) this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const [a, b] = [heap[left], heap[left + 1]]
      if (a === undefined) break
      const [child, next] = b !== undefined && isBefore(b, a) ? [left + 1, b] : [left, a]
      if (isBefore(last, next)) break
      heap[at] = next
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Resolves when no promise is left that could go on by itself: asked for by one, a tick begins only then. Everything
 *  that waits in a run waits for promises or for the scheduler. */
function allSettled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve)
  })
}

/** The same through a turn of the event loop, in which signals are heard and rejections come up that nobody handled. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
