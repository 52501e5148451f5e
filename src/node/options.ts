// The one table of a node's options. The check of config.yaml, the environment variables, the flags of `start`, the
// commented example in config/ and the documentation are all made from it.
import {
  hostPort,
  hostPortOrOff,
  integer,
  multiaddrs,
  type OptionType,
  oneOf,
  origins,
  peerAddresses,
  proxies,
} from './option-types.ts'

export interface Option<T> {
  readonly type: OptionType<T>
  readonly default: T
  /** One or two sentences; units and what 0 means included. */
  readonly description: string
  /** The heading under which it stands in the example. */
  readonly group: string
  /** Differs between nodes of one machine; `devnet` does not pass it on to all of its nodes. */
  readonly isPerNode?: true
}

const MiB = 1024 * 1024
const dayMs = 86_400_000
const ms = (min: number) => integer({ min, max: dayMs })

const listening = 'Where it listens'
const peers = 'Peers'
const limits = 'Limits of this node (what validity depends on is in genesis)'
const pace = 'Pace'
const machine = 'What it takes of the machine'
const logging = 'Logging'

export const options = {
  http: option(hostPort, { host: '127.0.0.1', port: 8080 }, listening, {
    description:
      'Address of the HTTP API. Loopback unless you change it; put a reverse proxy with TLS before it for the world.',
    isPerNode: true,
  }),
  internalHttp: option(hostPortOrOff, undefined, listening, {
    description:
      'An address of its own for the routes /commit and /propose; off: they are served with the rest.',
    isPerNode: true,
  }),
  p2p: option(multiaddrs, ['/ip4/0.0.0.0/tcp/9080'], listening, {
    description: 'Addresses on which it listens for peers.',
    isPerNode: true,
  }),
  announce: option(multiaddrs, [], peers, {
    description:
      'Addresses told to peers instead of those listened on, such as the public one behind a router.',
    isPerNode: true,
  }),
  bootstrap: option(peerAddresses, [], peers, {
    description: 'Peers to join through. One that is reachable is enough: it tells of the others.',
    isPerNode: true,
  }),
  statusIntervalMs: option(ms(100), 2_000, peers, {
    description: 'How often peers are asked how far they are.',
  }),
  poolMaxBytes: option(integer({ min: MiB, max: 2 ** 40 }), 256 * MiB, limits, {
    description:
      'Bytes of batches waiting to be sequenced; when full, new messages are answered 503. Validators need 128 MiB: with less the largest batches of others find no room.',
  }),
  poolMaxBatches: option(integer({ min: 16, max: 10_000_000 }), 20_000, limits, {
    description: 'Batches waiting to be sequenced; when full, new messages are answered 503.',
  }),
  maxBodyBytes: option(integer({ min: 1_024, max: 256 * MiB }), 10_000_000, limits, {
    description: 'Bytes of one HTTP request; more is answered 413.',
  }),
  rateLimitPerSecond: option(integer({ min: 0, max: 1_000_000 }), 200, limits, {
    description:
      'HTTP requests a second that one address may go on with; more is answered 429. 0: no limit. Addresses of this machine have none.',
  }),
  rateLimitBurst: option(integer({ min: 1, max: 1_000_000 }), 1_000, limits, {
    description: 'HTTP requests that one address may send at once after a pause.',
  }),
  trustedProxies: option(proxies, [], limits, {
    description:
      'Reverse proxies (addresses or CIDR ranges) whose X-Forwarded-For is believed for the rate limit.',
  }),
  corsOrigins: option(origins, [], limits, {
    description: 'Web pages of these origins may use the API from a browser; * for all.',
  }),
  batchMaxDelayMs: option(integer({ min: 0, max: 10_000 }), 5, pace, {
    description: 'How long a message waits for others to share its batch.',
  }),
  batchMaxBytes: option(integer({ min: 256, max: 3 * MiB }), 256 * 1024, pace, {
    description: 'A batch is sent as soon as it has this size; at most what genesis allows.',
  }),
  backlogMaxMs: option(ms(100), 4_000, pace, {
    description:
      "How long what is accepted may be expected to wait for its block, as blocks take this node's messages of late; beyond it new ones are answered 503. The first mebibyte always fits.",
  }),
  viewTimeoutMs: option(ms(10), 1_500, pace, {
    description:
      'Time for the first view of a height at most, and until views were measured; each later view of the height has twice as long.',
  }),
  viewTimeoutMinMs: option(ms(10), 400, pace, {
    description:
      'Time for the first view of a height at least. In between it follows how long views take; not below viewTimeoutMs, it is always that. Raise it where one validator is much farther away than the others: its turns to lead are lost else.',
  }),
  viewTimeoutCapMs: option(ms(10), 30_000, pace, {
    description: 'The longest time for one view; at least viewTimeoutMs.',
  }),
  finalizeTimeoutMs: option(ms(10), 1_000, pace, {
    description: 'How long a notarized block is waited for to become final before the next view begins.',
  }),
  proposalGraceMs: option(integer({ min: 0, max: 10_000 }), 20, pace, {
    description: 'How long a leader waits for pool commitments beyond a quorum.',
  }),
  emptyBlockIntervalMs: option(ms(0), 0, pace, {
    description: 'Make a block without messages after this time. 0: an idle chain makes none.',
  }),
  trieThread: option(oneOf(['auto', 'always', 'never']), 'auto', machine, {
    description:
      'Whether the trie, the largest part of what a message costs, has a thread of its own; auto: where the machine has four cores or more.',
  }),
  logLevel: option(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info', logging, {
    description: 'The least severe messages to log.',
  }),
  logFormat: option(oneOf(['auto', 'pretty', 'json']), 'auto', logging, {
    description: 'pretty for people, json (a line each) for machines; auto: pretty on a terminal.',
  }),
} as const

export type OptionKey = keyof typeof options
type Value<K extends OptionKey> = (typeof options)[K] extends Option<infer T> ? T : never

/** All options of a node, checked; times in milliseconds. */
export type NodeConfig = { readonly [K in OptionKey]: Value<K> }

export const optionKeys = Object.keys(options) as OptionKey[]

/** `viewTimeoutMs` is `DISEQ_VIEW_TIMEOUT_MS` in the environment. */
export function environmentNameOf(key: OptionKey): string {
  return `DISEQ_${key.replace(/([A-Z])/g, '_$1').toUpperCase()}`
}

/** `viewTimeoutMs` is `--view-timeout-ms` on the command line. */
export function flagNameOf(key: OptionKey): string {
  return `--${key.replace(/([A-Z])/g, '-$1').toLowerCase()}`
}

/** The option, its value's type set aside: for code that treats all of them alike. */
export function optionOf(key: OptionKey): Option<unknown> {
  return options[key] as Option<unknown>
}

function option<T>(
  type: OptionType<T>,
  defaultValue: T,
  group: string,
  rest: { description: string; isPerNode?: true },
): Option<T> {
  return { type, default: defaultValue, group, ...rest }
}
