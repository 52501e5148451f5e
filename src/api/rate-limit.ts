// A token bucket for each client address. Pure: time is an argument.
import { isIPv6 } from 'node:net'
import type { RateLimit } from './options.ts'

/** Buckets kept; the one that was full longest makes room. */
const maxAddresses = 20_000
/** Bytes of body that cost as much as a request. */
export const bodyBytesPerToken = 16 * 1024

interface Bucket {
  tokens: number
  filledAtMs: number
}

export class RateLimiter {
  readonly #limit: RateLimit
  readonly #buckets = new Map<string, Bucket>()

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  /** Takes a token of an address: 0, or the seconds after which it has one again. */
  take(address: string, nowMs: number): number {
    const bucket = this.#refilled(clientOf(address), nowMs)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#limit.requestsPerSecond))
    bucket.tokens -= 1
    return 0
  }

  /** What a body cost, known only once it was read: it may put the address in debt. */
  charge(address: string, bodyBytes: number, nowMs: number): void {
    const tokens = Math.floor(bodyBytes / bodyBytesPerToken)
    if (tokens > 0) this.#refilled(clientOf(address), nowMs).tokens -= tokens
  }

  #refilled(client: string, nowMs: number): Bucket {
    const { requestsPerSecond, burst } = this.#limit
    const bucket = this.#buckets.get(client) ?? { tokens: burst, filledAtMs: nowMs }
    const earned = (Math.max(0, nowMs - bucket.filledAtMs) / 1000) * requestsPerSecond
    bucket.tokens = Math.min(burst, bucket.tokens + earned)
    bucket.filledAtMs = nowMs
    // To the end of the map: the first is the one unused longest.
    this.#buckets.delete(client)
    this.#buckets.set(client, bucket)
    if (this.#buckets.size > maxAddresses) this.#buckets.delete(this.#buckets.keys().next().value ?? '')
    return bucket
  }
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

/** Who an address stands for: of IPv6 the /64, which is what one subscriber has. */
function clientOf(address: string): string {
  if (!isIPv6(address)) return address
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice('::ffff:'.length)
  const [head = '', tail] = address.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array(Math.max(0, zeros)).fill('0'), ...right]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}
