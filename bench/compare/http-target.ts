// A peer that takes messages over HTTP: connections to each of its nodes, and one node to read from.
import {
  type FinalMessages,
  HttpPool,
  type MeasuredProcess,
  type SubmitResult,
  type Target,
} from '../../src/bench/index.ts'

export abstract class HttpTarget implements Target {
  abstract readonly name: string
  readonly entranceCount: number
  readonly processes: readonly MeasuredProcess[]
  /** Address of the node that is followed. */
  protected readonly reader: string
  readonly #pools: readonly HttpPool[]

  constructor(options: {
    readonly nodes: readonly string[]
    readonly reader: string
    readonly processes: readonly MeasuredProcess[]
  }) {
    this.#pools = options.nodes.map((node) => new HttpPool(node))
    this.reader = options.reader
    this.entranceCount = options.nodes.length
    this.processes = options.processes
  }

  abstract submit(entrance: number, messages: readonly Uint8Array[]): Promise<SubmitResult>

  abstract follow(
    onFinal: (block: FinalMessages) => void,
    onLost: (error: Error) => void,
  ): Promise<() => void>

  /** @throws RangeError where the peer has no such node. */
  protected pool(entrance: number): HttpPool {
    const pool = this.#pools[entrance]
    if (pool === undefined) throw new RangeError(`no entrance ${entrance}`)
    return pool
  }

  protected closePools(): void {
    for (const pool of this.#pools) pool.close()
  }
}
