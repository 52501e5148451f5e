// Reads proofs from outside. It decides about the form only (is this a proof at all?), `verify.ts` about the rest.
//
// The original's reader takes more than it writes: unknown fields, fields left out for null, a list in place of an
// object. This one takes the written form alone, every field exactly once, so that two programs can't read one text as
// two proofs, and so that nothing travels along unread. What the original refuses is refused here, too. The order of
// fields and blanks between them are free. Portable.

import { readJsonText } from './json-text.ts'
import {
  type AbsenceProof,
  type JsonBytes,
  type MerkleProof,
  PROOF_NODES_MAX,
  type ProofNode,
  type ProofStep,
} from './proof.ts'

export type Reading<T> =
  | { readonly ok: true; readonly proof: T }
  | { readonly ok: false; readonly reason: string }

/**
 * An inclusion proof out of its JSON text, or out of a value that was parsed already (there, doubled fields and
 * `120.0` can no longer be seen). Never throws on JSON; the reason is for people.
 */
export function parseProofJson(input: unknown): Reading<MerkleProof> {
  return parse(input, readProofValue)
}

/** The same for an absence proof. */
export function parseAbsenceProofJson(input: unknown): Reading<AbsenceProof> {
  return parse(input, readAbsenceProofValue)
}

/** As `parseProofJson`, of a value that the caller has parsed; it takes no text. */
export function readProofValue(value: unknown): Reading<MerkleProof> {
  return readingOf(readProof(value))
}

/** The same for an absence proof. */
export function readAbsenceProofValue(value: unknown): Reading<AbsenceProof> {
  return readingOf(readAbsenceProof(value))
}

/** Why a value is no proof; returned in place of what was to be read. */
class Malformed {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

function parse<T>(input: unknown, read: (value: unknown) => Reading<T>): Reading<T> {
  if (typeof input !== 'string') return read(input)
  const json = readJsonText(input)
  return json.ok ? read(json.value) : json
}

function readingOf<T extends object>(proof: T | Malformed): Reading<T> {
  return proof instanceof Malformed ? { ok: false, reason: proof.reason } : { ok: true, proof }
}

function readProof(value: unknown): MerkleProof | Malformed {
  const fields = fieldsOf(value, ['nodes'], 'the proof')
  if (fields instanceof Malformed) return fields
  const nodes = readSteps(fields.nodes)
  return nodes instanceof Malformed ? nodes : { nodes }
}

function readAbsenceProof(value: unknown): AbsenceProof | Malformed {
  const fields = fieldsOf(value, ['absent', 'key', 'nodes'], 'the proof')
  if (fields instanceof Malformed) return fields
  if (fields.absent !== true) return new Malformed('absent has to be true')
  const key = readBytes(fields.key, 'the key')
  if (key instanceof Malformed) return key
  const nodes = readSteps(fields.nodes)
  return nodes instanceof Malformed ? nodes : { absent: true, key, nodes }
}

function readSteps(value: unknown): ProofStep[] | Malformed {
  if (!Array.isArray(value)) return new Malformed('nodes have to be a list')
  if (value.length > PROOF_NODES_MAX) return new Malformed(`more than ${PROOF_NODES_MAX} nodes`)
  const steps: ProofStep[] = []
  for (const [index, pair] of value.entries()) {
    const where = `node ${index}`
    if (!Array.isArray(pair) || pair.length !== 2) return new Malformed(`${where} is no pair`)
    const [isRight, node]: unknown[] = pair
    if (typeof isRight !== 'boolean') return new Malformed(`the first of ${where} is neither true nor false`)
    const read = readNode(node, where)
    if (read instanceof Malformed) return read
    steps.push([isRight, read])
  }
  return steps
}

/** The fields of each kind of node: bytes, or null in all but `key`. */
const NODE_FIELDS = {
  Root: ['hash', 'left', 'right'],
  Branch: ['key', 'hash', 'left', 'right'],
  Leaf: ['prefix', 'key', 'hash', 'data'],
} as const

function readNode(value: unknown, where: string): ProofNode | Malformed {
  const [kind = ''] = isObject(value) ? Object.keys(value) : []
  if (kind !== 'Root' && kind !== 'Branch' && kind !== 'Leaf')
    return new Malformed(`${where} is neither Root nor Branch nor Leaf`)
  const fields = contentOf(value, kind, NODE_FIELDS[kind], where)
  if (fields instanceof Malformed) return fields
  const node: Record<string, JsonBytes | null> = {}
  for (const name of NODE_FIELDS[kind]) {
    const bytes = fields[name]
    const read = bytes === null && name !== 'key' ? null : readBytes(bytes, `the ${name} of ${where}`)
    if (read instanceof Malformed) return read
    node[name] = read
  }
  // All fields of the kind are there, and of their types: they were read by its list.
  return { [kind]: node } as unknown as ProofNode
}

/** The fields of a node: of the one field of `{"Root":{…}}`. */
function contentOf(
  value: unknown,
  kind: string,
  names: readonly string[],
  where: string,
): Fields | Malformed {
  const node = fieldsOf(value, [kind], where)
  return node instanceof Malformed ? node : fieldsOf(node[kind], names, where)
}

type Fields = Readonly<Record<string, unknown>>

/** The value if it is an object of exactly these fields. */
function fieldsOf(value: unknown, names: readonly string[], where: string): Fields | Malformed {
  if (!isObject(value)) return new Malformed(`${where} is no object`)
  for (const name of names) if (!Object.hasOwn(value, name)) return new Malformed(`${where} lacks ${name}`)
  const isExact = Object.keys(value).length === names.length
  return isExact ? value : new Malformed(`${where} has more fields than ${names.join(', ')}`)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readBytes(value: unknown, where: string): JsonBytes | Malformed {
  if (!Array.isArray(value)) return new Malformed(`${where} is no list of bytes`)
  for (const byte of value) if (!isByte(byte)) return new Malformed(`${where} is no list of bytes`)
  return value
}

/** Whole, 0 to 255, and not -0, which is another text. */
function isByte(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= 0 &&
    value <= 255 &&
    !Object.is(value, -0)
  )
}
