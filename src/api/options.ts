// What an operator can set about the HTTP server, with the defaults and where they come from.
import type { FastifyBaseLogger } from 'fastify'

/** Which routes a server has. `public`: all but `/commit` and `/propose`, where those are on an internal address.
 *  `internal`: the original's routes and the probes. */
export type RouteSurface = 'all' | 'public' | 'internal'

export interface RateLimit {
  /** What one address may go on with, in requests per second. Each 16 KiB of body count as one more. */
  readonly requestsPerSecond: number
  /** How many it may send at once after a pause. */
  readonly burst: number
}

export interface ReplyTime {
  readonly method: string
  /** The route's pattern, so that there is a bounded number of them; `unmatched` where no route was. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

export interface ApiOptions {
  readonly surface: RouteSurface
  /** Of this software; shown by the API's description. */
  readonly version: string
  /** The original's limit of a body; also that of `/v1`, but for streamed lines. */
  readonly maxBodyBytes: number
  /** Messages of one array. */
  readonly maxMessagesPerRequest: number
  /** Lines of one `application/x-ndjson` request; what is left of it in memory at the end is its ids. */
  readonly maxStreamedMessages: number
  readonly maxStreamedBytes: number
  /** How long lines may wait in all for room, where lines before them were accepted. */
  readonly streamedPatienceMs: number
  /** Bytes of request bodies in memory at one time; a request beyond it is told to come again. */
  readonly maxBodyBytesInFlight: number
  /** What `wait=final` waits before it answers 202 after all. */
  readonly waitFinalTimeoutMs: number
  /** What `/merkle_proof` waits for a pending message: clients of the original neither retry nor look at a status. */
  readonly merkleProofTimeoutMs: number
  /** Requests that may wait at one time, and messages that they wait for. */
  readonly maxWaiting: number
  readonly maxWaitedMessages: number
  /** Clients that may follow the stream at one time; well below `maxConnections`. */
  readonly maxStreamReaders: number
  /** What one reader's connection may hold before it has to take some of it, and all of them together. */
  readonly streamReaderBufferBytes: number
  readonly maxStreamBufferedBytes: number
  /** A reader that takes nothing for so long is let go. */
  readonly streamStallTimeoutMs: number
  readonly streamHeartbeatMs: number
  /** False: no limit. Addresses of this machine are never limited, and a reverse proxy is one: set `trustProxy`. */
  readonly rateLimit: RateLimit | false
  /** Addresses of reverse proxies whose `X-Forwarded-For` is believed, or how many of them; see fastify. */
  readonly trustProxy: boolean | string | string[]
  /** Origins whose pages may call: `*` for all, none by default, lest any page a validator's operator opens can reach
   *  a node that listens on loopback only. */
  readonly corsOrigins: readonly string[]
  /** The time a client has to send its headers, and its whole request. */
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** A connection on which nothing moves for so long is closed; longer than any wait for a reply. */
  readonly idleSocketTimeoutMs: number
  readonly maxConnections: number
  /** How long `close` waits for requests under way. */
  readonly closeGraceMs: number
  /** Told of each reply, for metrics. */
  readonly onReply: (reply: ReplyTime) => void
  /** Milliseconds, for the rate limit. */
  readonly now: () => number
  readonly logger?: FastifyBaseLogger
}

export const defaultApiOptions: ApiOptions = {
  surface: 'all',
  version: '0.0.0',
  maxBodyBytes: 10_000_000,
  maxMessagesPerRequest: 10_000,
  maxStreamedMessages: 100_000,
  maxStreamedBytes: 64 * 1024 * 1024,
  streamedPatienceMs: 20_000,
  maxBodyBytesInFlight: 128 * 1024 * 1024,
  waitFinalTimeoutMs: 60_000,
  merkleProofTimeoutMs: 10_000,
  maxWaiting: 1_000,
  maxWaitedMessages: 200_000,
  maxStreamReaders: 1_500,
  streamReaderBufferBytes: 256 * 1024,
  maxStreamBufferedBytes: 128 * 1024 * 1024,
  streamStallTimeoutMs: 30_000,
  streamHeartbeatMs: 15_000,
  rateLimit: { requestsPerSecond: 200, burst: 1_000 },
  trustProxy: false,
  corsOrigins: [],
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 72_000,
  idleSocketTimeoutMs: 120_000,
  maxConnections: 2_000,
  closeGraceMs: 5_000,
  onReply: () => undefined,
  now: () => performance.now(),
}
