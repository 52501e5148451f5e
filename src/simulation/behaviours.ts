// All ways of lying of one node, as one: each bends what the one before it left. A node without any is honest.
import type { Frame } from '../codec/index.ts'
import type { Replica } from '../node/replica.ts'
import type { Behaviour } from './behaviour.ts'
import type { Answers, RequestKind } from './wire.ts'

/** What a request is answered with. */
export type Answering = Pick<Answers, RequestKind>

export class Behaviours {
  readonly #all: readonly Behaviour[]

  constructor(all: readonly Behaviour[] = []) {
    this.#all = all
  }

  get areNone(): boolean {
    return this.#all.length === 0
  }

  /** What goes to one node in place of a frame of the replica. */
  framesFor(to: number, frame: Frame): readonly Frame[] {
    let frames: readonly Frame[] = [frame]
    for (const behaviour of this.#all)
      frames = frames.flatMap((each) => behaviour.onSend?.(each, to) ?? [each])
    return frames
  }

  /** Whether the own replica sees a verified frame. */
  takes(frame: Frame, from: number): boolean {
    return this.#all.every((behaviour) => behaviour.onReceive?.(frame, from) ?? true)
  }

  /** Whether a request of the own replica goes to anybody. */
  asks(kind: RequestKind): boolean {
    return this.#all.every((behaviour) => behaviour.asks?.(kind) !== false)
  }

  /** What the replica would answer, bent. */
  answersOf(answers: Replica['answers']): Answering {
    return {
      status: () => {
        const status = answers.status()
        return this.#bend(status, (behaviour, told) => behaviour.answerStatus?.(told) ?? told) ?? status
      },
      view: (request) =>
        this.#bend<readonly Uint8Array[]>(answers.view(request), (behaviour, frames) =>
          behaviour.answerView === undefined ? frames : behaviour.answerView(frames),
        ),
      batches: async (request) =>
        this.#bend<readonly Uint8Array[]>(await answers.batches(request), (behaviour, frames) =>
          behaviour.answerBatches === undefined ? frames : behaviour.answerBatches(frames),
        ),
      blocks: async (request) => {
        const blocks: Uint8Array[] = []
        for await (const block of answers.blocks(request)) blocks.push(block)
        return this.#bend<readonly Uint8Array[]>(blocks, (behaviour, sent) =>
          behaviour.answerBlocks === undefined ? sent : behaviour.answerBlocks(sent),
        )
      },
    }
  }

  /** Added to the time that an answer takes. */
  answerDelayMs(): number {
    return this.#all.reduce((sum, behaviour) => sum + (behaviour.answerDelayMs?.() ?? 0), 0)
  }

  /** To be called every 100 ms while the node is up. */
  onTick(): void {
    for (const behaviour of this.#all) behaviour.onTick?.()
  }

  /** Undefined where one of them lets nothing pass. */
  #bend<T>(value: T, by: (behaviour: Behaviour, value: T) => T | undefined): T | undefined {
    let bent: T | undefined = value
    for (const behaviour of this.#all) if (bent !== undefined) bent = by(behaviour, bent)
    return bent
  }
}
