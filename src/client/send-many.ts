// Sends a stream of groups of messages over all nodes of a client, a bounded number at a time.
import type { Client, SendOptions } from './client.ts'
import type { MessageState, OutgoingMessage } from './replies.ts'

// Waiting for finality takes a few block times each: this many waits together keep a node busy.
const waitsPerNode = 4

/** `Client.sendMany`. Without waiting, one request a node is under way at a time, so that one node gets its messages in
 *  order; with it, some more. */
export async function* sendMany(
  client: Client,
  groups: AsyncIterable<readonly OutgoingMessage[]>,
  options: SendOptions = {},
): AsyncGenerator<readonly MessageState[]> {
  const underWayMax = client.nodeCount * (options.isFinalAwaited === true ? waitsPerNode : 1)
  const underWay: Promise<readonly MessageState[]>[] = []
  const iterator = groups[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<readonly OutgoingMessage[]>> | undefined = iterator.next()
  for (;;) {
    const oldest = underWay[0]
    if (next === undefined && oldest === undefined) return
    const hasRoom = next !== undefined && underWay.length < underWayMax
    const event = await Promise.race([
      ...(hasRoom && next !== undefined ? [next.then((group) => ({ group }))] : []),
      ...(oldest !== undefined ? [oldest.then((states) => ({ states }))] : []),
    ])
    if ('states' in event) {
      void underWay.shift()
      yield event.states
    } else if (event.group.done === true) {
      next = undefined
    } else {
      const sent = client.send(event.group.value, options)
      // Its error is thrown when its turn comes; until then it must not count as unhandled.
      sent.catch(() => undefined)
      underWay.push(sent)
      next = iterator.next()
    }
  }
}
