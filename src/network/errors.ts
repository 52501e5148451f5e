// What a caller of this room may have to handle: the world failed. Bad bytes of a peer are never errors, they are
// counted and punished (peer-conduct.ts).
import type { PeerId } from '../types/index.ts'

export type NetworkFailure =
  /** `start` was not called, or `stop` was. */
  | { readonly code: 'not-started' }
  /** There is no connection to that peer; requests do not dial. */
  | { readonly code: 'not-connected'; readonly peer: PeerId }
  /** The peer took too long; it may be busy. */
  | { readonly code: 'timeout'; readonly peer: PeerId; readonly timeoutMs: number }
  /** The stream broke, or the peer does not speak the protocol or refused (its limits). */
  | { readonly code: 'broken'; readonly peer: PeerId }
  /** The peer answered what is no answer; it has been reported. */
  | { readonly code: 'bad-reply'; readonly peer: PeerId; readonly reason: string }
  /** The request does not fit the limit of its protocol. */
  | { readonly code: 'too-large'; readonly sizeBytes: number; readonly maxBytes: number }

export type NetworkErrorCode = NetworkFailure['code']

/** Callers branch on `code`. */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode
  readonly failure: NetworkFailure

  constructor(failure: NetworkFailure, cause?: unknown) {
    super(describe(failure), { cause })
    this.name = 'NetworkError'
    this.code = failure.code
    this.failure = failure
  }
}

/** The code of a failed network call; undefined for what is no `NetworkError`. */
export function networkErrorCode(error: unknown): NetworkErrorCode | undefined {
  return error instanceof NetworkError ? error.code : undefined
}

/** For logs: what is known of an error of a library. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function describe(failure: NetworkFailure): string {
  switch (failure.code) {
    case 'not-started':
      return 'the network is not started'
    case 'not-connected':
      return `not connected to ${failure.peer}`
    case 'timeout':
      return `${failure.peer} did not answer within ${failure.timeoutMs} ms`
    case 'broken':
      return `the stream to ${failure.peer} broke or was refused`
    case 'bad-reply':
      return `${failure.peer} answered wrongly: ${failure.reason}`
    case 'too-large':
      return `a request of ${failure.sizeBytes} bytes where at most ${failure.maxBytes} are allowed`
  }
}
