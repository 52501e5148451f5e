// Reading back what becomes final, and counting it: whatever sends messages of a workload does it with this.
import type { Tally } from './tally.ts'
import type { Target } from './target.ts'
import type { Workload } from './workload.ts'

export class Following {
  /** What was seen final so far. Bytes are of the workload's own messages. */
  readonly seen = { blocks: 0, bytes: 0 }
  #failure: Error | undefined
  #end: () => void = () => undefined

  /** Tells the tally of each message of the workload that becomes final from now on. Those that the workload has given
   *  out before do not count; the next one is the tally's number 0. */
  static async begin(target: Target, workload: Workload, tally: Tally): Promise<Following> {
    const following = new Following()
    const firstNumber = numbersFrom(workload)
    following.#end = await target.follow(
      ({ heads, dataBytes }) => {
        const atMs = performance.now()
        let own = 0
        for (const head of heads) {
          const number = workload.numberOf(head)
          if (number === undefined || number < firstNumber) continue
          own += 1
          tally.final(number - firstNumber, atMs)
        }
        following.seen.blocks += 1
        following.seen.bytes += heads.length === 0 ? 0 : (dataBytes * own) / heads.length
      },
      (error) => {
        following.#failure = error
      },
    )
    return following
  }

  /** Why the target can no longer be followed; undefined while it can. */
  get failure(): Error | undefined {
    return this.#failure
  }

  end(): void {
    this.#end()
  }
}

function numbersFrom(workload: Workload): number {
  // The number after the last that was given out; taking one costs a number, and nothing else.
  return (workload.numberOf(workload.next()) ?? -1) + 1
}
