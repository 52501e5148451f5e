// From format 3, whose index of messages was under their ids alone, to parts of it (message-index.ts).
import { decodeHeader } from '../../codec/index.ts'
import type { MessageId } from '../../types/index.ts'
import { corrupted } from '../errors.ts'
import type { KeyRange, KeyValueStore, WriteOperation } from '../key-value.ts'
import { allOf, messageFilterKey, messagePlaceKey } from '../keys.ts'
import { filterOfPart } from '../message-index.ts'
import { decodeMessagePlace } from '../records.ts'
import { putSealed } from '../sealed.ts'
import type { Migration } from './migrate.ts'
import { defaultPieceOperations, deletions, pieces } from './pieces.ts'

const oldPlaces: KeyRange = { gte: Uint8Array.of(0x1a), lt: Uint8Array.of(0x1b) }

/** The old entries stay: until this is done an older build may open the database again, and has to find them. */
export function messagesInParts(partMessages: number, pieceOperations = defaultPieceOperations): Migration {
  return {
    from: 3,
    name: 'messages in parts',
    run: async function* (store) {
      const starts = await partStarts(store, partMessages)
      yield* pieces(newPlaces(store, starts), pieceOperations)
      for (let part = 0; part < starts.length - 1; part += 1) {
        const { filter } = await filterOfPart(store, { part, partMessages })
        yield [putSealed(messageFilterKey(part), filter.bytes)]
      }
    },
  }
}

/** No older build opens it any more. */
export function withoutOldPlaces(pieceOperations = defaultPieceOperations): Migration {
  return {
    from: 4,
    name: 'without the index before',
    run: (store) => pieces(deletions(store, oldPlaces), pieceOperations),
  }
}

/** The height at which each part begins, ascending; of the last one, which is not full, too. */
async function partStarts(store: KeyValueStore, partMessages: number): Promise<number[]> {
  const starts = [1]
  let count = 0
  for await (const [, bytes] of store.iterate(allOf('header'))) {
    const header = decodeHeader(bytes)
    if (!header.ok) throw corrupted('header', header.reason)
    const { height, messageCount } = header.value
    count += messageCount
    if (count < partMessages) continue
    starts.push(height + 1)
    count = 0
  }
  return starts
}

async function* newPlaces(
  store: KeyValueStore,
  starts: readonly number[],
): AsyncGenerator<WriteOperation, void> {
  for await (const [key, value] of store.iterate(oldPlaces)) {
    const id = Buffer.from(key.subarray(1)).toString('hex') as MessageId
    const { height } = decodeMessagePlace(value)
    const part = starts.findLastIndex((start) => start <= height)
    yield { type: 'put', key: messagePlaceKey(part, id), value }
  }
}
