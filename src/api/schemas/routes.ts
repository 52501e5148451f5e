// Pieces of a route's schema that many routes share: the replies in their media types, and the refusals.
import { type ProblemCode, statusOf } from '../errors.ts'
import { ref, type Schema } from './shared.ts'

/** A success reply of JSON. */
export function json(description: string, schema: Schema): Schema {
  return { description, content: { 'application/json': { schema } } }
}

/** A success reply of the original: text, even where the text is JSON. `also`: the same as JSON, where it is asked for. */
export function plain(
  description: string,
  options: { readonly pattern?: string; readonly also?: Schema } = {},
): Schema {
  const { pattern, also } = options
  const text = pattern === undefined ? { type: 'string' } : { type: 'string', pattern }
  const asJson = also === undefined ? {} : { 'application/json': { schema: also } }
  return { description, content: { 'text/plain': { schema: text }, ...asJson } }
}

export const noContent: Schema = { type: 'null', description: 'Nothing more to say.' }

/** The refusals of a route, by status, as problem documents. */
export function problems(codes: readonly ProblemCode[]): Record<number, Schema> {
  return refusals(codes, 'application/problem+json', ref('Problem'))
}

/** The refusals of a route of the original: a sentence as text. */
export function sentences(codes: readonly ProblemCode[]): Record<number, Schema> {
  return refusals(codes, 'text/plain', { type: 'string' })
}

/** What any route may answer. */
const everywhere: readonly ProblemCode[] = ['bad-url', 'rate-limited', 'internal', 'busy']
/** What any route with a body may answer. */
export const bodyProblems: readonly ProblemCode[] = [
  'invalid-json',
  'body-too-large',
  'unsupported-media-type',
  'invalid-body',
]

function refusals(codes: readonly ProblemCode[], mediaType: string, schema: Schema): Record<number, Schema> {
  const byStatus = new Map<number, string[]>()
  for (const code of [...codes, ...everywhere]) {
    const status = statusOf(code)
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      { description: names.join(', '), content: { [mediaType]: { schema } } },
    ]),
  )
}
