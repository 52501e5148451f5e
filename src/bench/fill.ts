// Messages that are there before anything is measured: what a system makes of a long chain shows only on one.
import { setTimeout as pause } from 'node:timers/promises'
import { Following } from './following.ts'
import { Offer } from './offer.ts'
import { Tally } from './tally.ts'
import type { Target } from './target.ts'
import { randomWorkload } from './workload.ts'

export interface FillOptions {
  /** Messages, from 1 on. */
  readonly count: number
  /** Told how many are final, now and then. */
  readonly onProgress?: (finalCount: number) => void
  /** At the end: what a system has accepted and does not make final in that time is its own affair. */
  readonly quietMs?: number
  /** Before that: who makes nothing final for so long is given up. */
  readonly stallMs?: number
}

/** As small as they can be, for all systems: how many there are is what counts. */
const messageBytes = 32
const load = { rate: 'max', groupSize: 100, inFlight: 64 } as const
const pendingMax = 20_000
const lookMs = 50

/**
 * Puts messages in as fast as they are taken, until at least so many are final.
 * @returns how many are: those that were under way come on top, at most 20,000.
 * @throws Error where the target cannot be followed, or makes nothing final for `stallMs`; with the last failure of a request.
 */
export async function fillChain(
  target: Target,
  { count, onProgress, quietMs = 5_000, stallMs = 60_000 }: FillOptions,
): Promise<number> {
  const workload = randomWorkload(messageBytes)
  const tally = new Tally()
  const following = await Following.begin(target, workload, tally)
  let lastError: unknown
  const nowMs = () => performance.now()
  const offer = new Offer({
    ...load,
    pendingMax: Math.max(load.groupSize, Math.min(pendingMax, count)),
    target,
    workload,
    tally,
    nowMs,
    onError: (error) => {
      lastError = error
    },
  })
  let movedMs = nowMs()
  let finalCount = 0
  /** Milliseconds since the last message became final. */
  const look = async () => {
    await pause(lookMs)
    if (following.failure !== undefined) throw following.failure
    if (tally.finalCount > finalCount) {
      finalCount = tally.finalCount
      movedMs = nowMs()
      onProgress?.(finalCount)
    }
    return nowMs() - movedMs
  }
  try {
    offer.start()
    try {
      while (tally.finalCount < count) {
        if ((await look()) < stallMs) continue
        const reason = lastError === undefined ? '' : ` (${String(lastError)})`
        throw new Error(`${target.name} made nothing final for ${stallMs / 1_000} s${reason}`)
      }
    } finally {
      await offer.stop()
    }
    while (tally.finalCount < tally.acceptedCount && (await look()) < quietMs);
    return tally.finalCount
  } finally {
    following.end()
  }
}
