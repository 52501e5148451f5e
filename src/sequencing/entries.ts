// What a validator lists in its pool commitment (protocol §3.1): half from the line, half from the rest of its pool,
// and what one half leaves over for the other. Called by the core, once a height.
import type { BatchId, PoolCommitmentEntry, TimeMs } from '../types/index.ts'
import type { Line } from './line.ts'

/** Entries and time of the commitment to sign.
 *  @param held the batches of one's pool and when each came in.
 *  @param isPending whether a held batch waits still: with block B of the height before about to be final, not one
 *    that B takes or makes useless.
 *  @param time now. The commitment's is later where the clock has stepped back since a listed batch came in: every
 *    entry must be received by then.
 *  @param entriesMax K. */
export function selectEntries({
  held,
  line,
  isPending,
  time,
  entriesMax,
}: {
  readonly held: ReadonlyMap<BatchId, TimeMs>
  readonly line: Line
  readonly isPending: (batchId: BatchId) => boolean
  readonly time: TimeMs
  readonly entriesMax: number
}): { time: TimeMs; entries: PoolCommitmentEntry[] } {
  const entries: PoolCommitmentEntry[] = []
  const lineInTurn = line.heldInTurn(pendingOf(held, isPending))
  const takeFromLine = (count: number) => {
    for (let taken = 0; taken < count; taken++) {
      const next = lineInTurn.next()
      if (next.done) return
      const receivedAt = held.get(next.value)
      if (receivedAt !== undefined) entries.push({ batchId: next.value, receivedAt })
    }
  }
  takeFromLine(Math.floor(entriesMax / 2))
  const isOfTheRest = (batchId: BatchId) => !line.has(batchId) && isPending(batchId)
  entries.push(...oldestOf({ held, isOfTheRest, count: entriesMax - entries.length }))
  takeFromLine(entriesMax - entries.length)

  const lastReceivedAt = entries.reduce((last, { receivedAt }) => Math.max(last, receivedAt), time)
  entries.sort((a, b) => (a.batchId < b.batchId ? -1 : 1))
  return { time: lastReceivedAt, entries }
}

function* pendingOf(
  held: ReadonlyMap<BatchId, TimeMs>,
  isPending: (batchId: BatchId) => boolean,
): Generator<BatchId, void> {
  for (const batchId of held.keys()) if (isPending(batchId)) yield batchId
}

/** The `count` batches received first, ties by batch id. Keeps at most twice as many at a time; what comes later than
 *  all it keeps is passed over at once, so a pool in about the order of reception costs one look at each. */
function oldestOf({
  held,
  isOfTheRest,
  count,
}: {
  readonly held: ReadonlyMap<BatchId, TimeMs>
  readonly isOfTheRest: (batchId: BatchId) => boolean
  readonly count: number
}): PoolCommitmentEntry[] {
  if (count <= 0) return []
  let kept: PoolCommitmentEntry[] = []
  let lastKept = Number.POSITIVE_INFINITY
  for (const [batchId, receivedAt] of held) {
    if (receivedAt > lastKept || !isOfTheRest(batchId)) continue
    kept.push({ batchId, receivedAt })
    if (kept.length < 2 * count) continue
    kept = kept.sort(byReception).slice(0, count)
    lastKept = kept.at(-1)?.receivedAt ?? lastKept
  }
  return kept.sort(byReception).slice(0, count)
}

function byReception(a: PoolCommitmentEntry, b: PoolCommitmentEntry): number {
  return a.receivedAt - b.receivedAt || (a.batchId < b.batchId ? -1 : 1)
}
