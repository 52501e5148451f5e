// What migrations that touch every key have in common.
import type { KeyRange, KeyValueStore, WriteOperation } from '../key-value.ts'

/** Operations of one write: a few megabytes. */
export const defaultPieceOperations = 10_000

/** The deletion of every key in the range. */
export async function* deletions(
  store: KeyValueStore,
  range: KeyRange,
): AsyncGenerator<WriteOperation, void> {
  for await (const [key] of store.iterate(range)) yield { type: 'del', key }
}

/** The operations as lists that fit memory, none of them empty. */
export async function* pieces(
  operations: AsyncIterable<WriteOperation>,
  pieceOperations = defaultPieceOperations,
): AsyncGenerator<WriteOperation[], void> {
  let piece: WriteOperation[] = []
  for await (const operation of operations) {
    piece.push(operation)
    if (piece.length < pieceOperations) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}
