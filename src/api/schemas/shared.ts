// The named schemas that routes refer to: what checks input and what describes it are the same objects.
import { maxNamespaceBytes } from '../../codec/index.ts'
import { problemCodes } from '../errors.ts'
import { patterns } from './patterns.ts'

export type Schema = Readonly<Record<string, unknown>>

/** A fixed object: nothing beyond these fields. `optional`: those that may be absent. */
export function objectOf(
  properties: Readonly<Record<string, Schema>>,
  options: { readonly optional?: readonly string[]; readonly description?: string } = {},
): Schema {
  const { optional = [], description } = options
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  const named = description === undefined ? {} : { description }
  return { type: 'object', ...named, properties, required, additionalProperties: false }
}

export function listOf(items: Schema, limits: Schema = {}): Schema {
  return { type: 'array', items, ...limits }
}

export function ref(name: string): Schema {
  return { $ref: `${name}#` }
}

export function nullable(schema: { readonly type: string }): Schema {
  return { ...schema, type: [schema.type, 'null'] }
}

export const hexHash = { type: 'string', pattern: patterns.hash } as const
export const hexSignature = { type: 'string', pattern: '^[0-9a-f]{128}$' } as const
export const u32 = { type: 'integer', minimum: 0, maximum: 0xffff_ffff } as const
export const integer = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const
export const timeMs = {
  ...integer,
  description: 'Milliseconds since the Unix epoch.',
} as const
const base64 = { type: 'string', contentEncoding: 'base64' } as const
const text = { type: 'string' } as const
const validatorIndex = { ...u32, description: 'Place in the list of validators, from 0.' } as const

const namespace = {
  type: 'string',
  minLength: 1,
  maxLength: maxNamespaceBytes,
  description: `1 to ${maxNamespaceBytes} bytes of UTF-8. Names that begin with "diseq/" are the protocol's own.`,
} as const

const messageFields = {
  data: { ...base64, description: 'Standard base64 with padding.' },
  namespace,
  timestamp: { ...u32, description: "The client's own; 0 where absent, so that sending again is harmless." },
  expiresAt: { ...integer, description: 'The last height whose block may include it.' },
}

const messageInput = objectOf(messageFields, {
  optional: ['namespace', 'timestamp', 'expiresAt'],
  description: 'A message to be sequenced.',
})

const sequencedMessage = objectOf(
  { index: { ...u32, description: 'Place in the block, from 0.' }, id: hexHash, ...messageFields },
  { optional: ['namespace', 'expiresAt'] },
)

const poolMessage = objectOf(
  { id: hexHash, receivedAt: timeMs, ...messageFields },
  { optional: ['namespace', 'expiresAt'] },
)

const messageState = objectOf(
  {
    id: hexHash,
    state: { type: 'string', enum: ['pending', 'final', 'expired', 'refused'] },
    height: { ...integer, description: 'Of its block; with state "final" only.' },
    index: { ...u32, description: 'Place in the block; with state "final" only.' },
    reason: text,
  },
  { optional: ['height', 'index', 'reason'] },
)

const header = objectOf({
  version: u32,
  chainId: text,
  height: integer,
  view: u32,
  time: timeMs,
  previousBlockId: hexHash,
  leader: validatorIndex,
  vrfProof: { type: 'string', pattern: '^[0-9a-f]{160}$' },
  commitmentsHash: hexHash,
  batchesHash: hexHash,
  sequenceRoot: hexHash,
  messageCount: u32,
  namespacesRoot: hexHash,
  namespaceCount: u32,
  stateHeight: integer,
  stateRoot: hexHash,
  validatorsHash: hexHash,
  nextValidatorsHash: hexHash,
})

const finalization = objectOf(
  {
    view: u32,
    blockId: hexHash,
    signatures: listOf(objectOf({ validator: validatorIndex, signature: hexSignature })),
  },
  { description: 'The finalize votes of a quorum: what makes the block final.' },
)

const block = objectOf(
  {
    height: integer,
    id: hexHash,
    time: timeMs,
    header: { anyOf: [ref('Header'), { type: 'null' }], description: 'Null for genesis.' },
    headerBytes: { ...base64, type: ['string', 'null'], description: 'The bytes whose SHA-256 is the id.' },
    signature: { ...nullable(hexSignature), description: "The leader's." },
    messages: listOf(ref('SequencedMessage')),
    commitments: listOf(
      objectOf({ validator: validatorIndex, time: timeMs, entryCount: u32, signature: hexSignature }),
      { description: 'The pool commitments that determined the content.' },
    ),
    finalization: { anyOf: [ref('Finalization'), { type: 'null' }] },
  },
  { description: 'A final block.' },
)

const signedPayload = objectOf({ kind: text, bytes: base64, signature: hexSignature })

const problem = objectOf(
  {
    type: text,
    title: text,
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { ...text, description: 'One plain sentence.' },
    code: { type: 'string', enum: problemCodes, description: 'What programs branch on.' },
    index: { ...u32, description: 'Which of the messages sent it is about, from 0.' },
    ids: listOf(hexHash, { description: 'Messages of a streamed request that were accepted before it.' }),
  },
  { optional: ['index', 'ids'], description: 'RFC 9457.' },
)

const validator = objectOf({
  index: validatorIndex,
  name: text,
  votingKey: hexHash,
  vrfKey: hexHash,
  peerId: text,
  nodeKey: hexHash,
  power: u32,
})

const vote = objectOf(
  {
    kind: { type: 'string', enum: ['notarize', 'nullify', 'finalize'] },
    height: integer,
    view: u32,
    validator: validatorIndex,
    blockId: hexHash,
    signature: hexSignature,
  },
  { optional: ['blockId'] },
)

const evidence = objectOf({
  validator: validatorIndex,
  height: integer,
  first: signedPayload,
  second: signedPayload,
  proof: objectOf(
    { type: { type: 'string', const: 'diseq/1/evidence' }, evidence: base64 },
    { description: 'The same for a verifier, to be checked offline.' },
  ),
})

const peer = objectOf({
  peerId: text,
  address: text,
  direction: { type: 'string', enum: ['inbound', 'outbound'] },
  validator: nullable(u32),
  finalHeight: nullable(integer),
})

const status = objectOf(
  {
    chainId: text,
    genesisHash: hexHash,
    version: text,
    peerId: text,
    validator: { ...nullable(u32), description: "This node's index; null where it only follows." },
    finalHeight: integer,
    finalBlockId: hexHash,
    finalBlockTime: timeMs,
    stateRoot: hexHash,
    height: { ...integer, description: 'The height under way.' },
    view: u32,
    isReady: { type: 'boolean' },
    reason: { ...text, description: 'Why it is not ready.' },
    peerCount: u32,
    pool: objectOf({ messageCount: u32, sizeBytes: integer }),
    startedAt: timeMs,
  },
  { optional: ['reason'] },
)

/** All of them by name, each with that name as its `$id`. */
export const sharedSchemas: readonly (Schema & { readonly $id: string })[] = Object.entries({
  MessageInput: messageInput,
  SequencedMessage: sequencedMessage,
  PoolMessage: poolMessage,
  MessageState: messageState,
  Header: header,
  Finalization: finalization,
  Block: block,
  Problem: problem,
  Validator: validator,
  Vote: vote,
  Evidence: evidence,
  Peer: peer,
  Status: status,
}).map(([$id, schema]) => ({ $id, ...schema }))
