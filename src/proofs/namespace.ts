// All messages of a namespace in a range of blocks, in order and none missing; blocks without any proven to have none.
// A leaf of the namespaces tree counts its messages and has a root over them, and leaves stand in the order of their
// names: so the messages shown are all there are, and a name between two neighbours is not in the block.
import { hexToBytes } from '../codec/index.ts'
import { verifyMerkleRange } from '../sequencing/merkle.ts'
import { compareNamespaces, encodeNamespaceLeaf, namespaceRoot } from '../sequencing/roots.ts'
import type { Hash, Header, Message, MessageId } from '../types/index.ts'
import {
  demandRange,
  type FinalBlockHeader,
  finalised,
  type ProvenHeader,
  type RangeClaim,
  readHeaders,
} from './final-header.ts'
import { pathOf, readMessage } from './finality.ts'
import { proofTypes } from './formats.ts'
import { fieldsOf, hasField, hexOf, jsonOf, listOf, namespaceOf, u32Of } from './json.ts'
import { demand, type Verdict, verdictOf } from './refusals.ts'
import type { Trust } from './trust.ts'

export interface NamespaceMessage {
  readonly index: number
  readonly id: MessageId
  readonly message: Message
}

export interface NamespaceBlock extends ProvenHeader {
  /** All of the namespace in this block, in order; empty: it has none. */
  readonly messages: readonly NamespaceMessage[]
}

export interface ProvenNamespace {
  readonly kind: 'namespace'
  readonly namespace: string
  /** Of consecutive heights. */
  readonly blocks: readonly NamespaceBlock[]
  /** The last of them; with it all are final. */
  readonly block: FinalBlockHeader
}

/** Whether `proof` (text or parsed) shows all messages of a namespace in a range of blocks; where they are given, of
 *  this namespace, of exactly these heights, and going on from `trusted`. */
export function verifyNamespace({
  trust,
  proof,
  namespace,
  ...range
}: RangeClaim & {
  readonly trust: Trust
  readonly proof: unknown
  readonly namespace?: string
}): Verdict<ProvenNamespace> {
  return verdictOf(() => {
    const proven = readNamespaceProof(trust, jsonOf(proof))
    demand(namespace === undefined || namespace === proven.namespace, 'other-namespace')
    demandRange(proven.blocks, range)
    return proven
  })
}

export function readNamespaceProof(trust: Trust, value: unknown): ProvenNamespace {
  const fields = fieldsOf(value, ['type', 'namespace', 'headers', 'finalization', 'blocks'], 'the proof')
  demand(fields.type === proofTypes.namespace, 'other-type')
  const namespace = namespaceOf(fields.namespace, 'namespace')
  const headers = readHeaders(trust, fields.headers)
  const contents = listOf(fields.blocks, headers.length, 'blocks')
  demand(contents.length === headers.length, 'malformed', 'blocks are not as many as headers')
  const blocks = headers.map((proven, index) => {
    const at = `blocks[${index}]`
    const place = { trust, header: proven.header, namespace, at }
    const content = contents[index]
    if (hasField(content, 'messages')) return { ...proven, messages: readPresent(place, content) }
    demandAbsent(place, content)
    return { ...proven, messages: [] }
  })
  const last = headers.at(-1) ?? headers[0]
  const block = finalised(trust, last, fields.finalization)
  return { kind: 'namespace', namespace, blocks, block }
}

interface Place {
  readonly trust: Trust
  readonly header: Header
  readonly namespace: string
  readonly at: string
}

function readPresent({ trust, header, namespace, at }: Place, value: unknown): NamespaceMessage[] {
  const fields = fieldsOf(value, ['position', 'messages', 'path'], at)
  const position = u32Of(fields.position, `${at}.position`)
  const path = pathOf(fields.path, `${at}.path`)
  const items = listOf(fields.messages, header.messageCount, `${at}.messages`)
  demand(items.length > 0, 'malformed', `${at}.messages is empty`)
  let previous = -1
  const messages = items.map((item, order) => {
    const place = `${at}.messages[${order}]`
    const read = fieldsOf(item, ['index', 'message'], place)
    const index = u32Of(read.index, `${place}.index`)
    demand(index > previous, 'out-of-order', place)
    previous = index
    const { id, message } = readMessage(trust, read.message, `${place}.message`)
    demand(message.namespace === namespace, 'other-namespace', place)
    return { index, id, message }
  })
  const root = namespaceRoot(messages, trust.sha256)
  const leaf = encodeNamespaceLeaf({ namespace, count: messages.length, root })
  demand(isInTree({ trust, header, leaves: [leaf], position, path }), 'not-in-namespaces', at)
  return messages
}

function demandAbsent({ trust, header, namespace, at }: Place, value: unknown): void {
  const fields = fieldsOf(value, ['position', 'neighbours', 'path'], at)
  const position = u32Of(fields.position, `${at}.position`)
  const path = pathOf(fields.path, `${at}.path`)
  const neighbours = listOf(fields.neighbours, 2, `${at}.neighbours`).map((item, order) =>
    readLeaf(item, `${at}.neighbours[${order}]`),
  )
  const { namespaceCount } = header
  const beforeCount = position > 0 ? 1 : 0
  const afterCount = position < namespaceCount ? 1 : 0
  const isWhole = position <= namespaceCount && neighbours.length === beforeCount + afterCount
  demand(isWhole, 'not-between', at)
  const isBetween = neighbours.every((leaf, order) => {
    const comparison = compareNamespaces(leaf.namespace, namespace)
    return order < beforeCount ? comparison < 0 : comparison > 0
  })
  demand(isBetween, 'not-between', at)
  if (namespaceCount === 0) {
    demand(path.length === 0, 'other-neighbours', at)
    return
  }
  const leaves = neighbours.map(encodeNamespaceLeaf)
  const isThere = isInTree({ trust, header, leaves, position: position - beforeCount, path })
  demand(isThere, 'other-neighbours', at)
}

function readLeaf(value: unknown, at: string) {
  const fields = fieldsOf(value, ['namespace', 'count', 'root'], at)
  return {
    namespace: namespaceOf(fields.namespace, `${at}.namespace`),
    count: u32Of(fields.count, `${at}.count`),
    root: hexOf<Hash>(fields.root, 32, `${at}.root`),
  }
}

function isInTree({
  trust,
  header,
  leaves,
  position,
  path,
}: {
  readonly trust: Trust
  readonly header: Header
  readonly leaves: readonly Uint8Array[]
  readonly position: number
  readonly path: readonly Hash[]
}): boolean {
  return verifyMerkleRange({
    root: hexToBytes(header.namespacesRoot),
    leaves,
    index: position,
    size: header.namespaceCount,
    path: path.map(hexToBytes),
    sha256: trust.sha256,
  })
}
