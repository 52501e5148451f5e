// What is measured: DISEQ, or one of its peers. Each brings its own way to submit and to read what is final.

/** How messages are put into requests. */
export type Form = 'single' | 'array' | 'ndjson'

export type SubmitResult =
  /** All of them; the system answers for them. */
  | { readonly kind: 'accepted' }
  /** None of them; may be tried again after that time. */
  | { readonly kind: 'refused'; readonly retryAfterMs: number }
  /** Some of them: the places of those that it does not answer for. */
  | { readonly kind: 'partly'; readonly refused: ReadonlySet<number>; readonly retryAfterMs: number }

export interface FinalMessages {
  /** The first bytes of each message, in order; at least `headBytes` of them. */
  readonly heads: readonly Uint8Array[]
  readonly dataBytes: number
}

export interface Target {
  readonly name: string
  /** Entrances; `submit` takes one of 0 … count − 1. */
  readonly entranceCount: number
  readonly processes: readonly MeasuredProcess[]
  /** One request. Rejects where the entrance does not answer. */
  submit(entrance: number, messages: readonly Uint8Array[]): Promise<SubmitResult>
  /** Calls `onFinal` for each block (or what stands for one) that a reader gets to see, from now on, each once.
   *  Resolves once it follows; the function returned ends it. */
  follow(onFinal: (block: FinalMessages) => void, onLost: (error: Error) => void): Promise<() => void>
  /** Counts of its own since its start, such as syncs; what it does not tell is absent. */
  counters?(): Promise<Readonly<Record<string, number>>>
}

export interface MeasuredProcess {
  readonly name: string
  readonly pid: number
}
