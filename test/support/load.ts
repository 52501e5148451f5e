// A steady stream of messages to the nodes that run, each by one of the ways in, remembering what was accepted.
import { randomBytes } from 'node:crypto'
import { idOf } from './chains.ts'
import type { NodeProcess } from './node-process.ts'

export interface Load {
  /** Ids of messages that were answered 202 or [Ok]: the network may not lose them. */
  readonly accepted: ReadonlySet<string>
  /** Resolves when every request has its answer. */
  stop(): Promise<void>
}

/** Begins at once. Requests that fail (their node was killed) are not repeated. */
export function startLoad(
  nodes: () => readonly NodeProcess[],
  { perSecond = 40, sizeBytes = 200 } = {},
): Load {
  const accepted = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let count = 0
  const timer = setInterval(() => {
    const targets = nodes()
    const node = targets[count % Math.max(1, targets.length)]
    count += 1
    if (node === undefined) return
    const request = submit(node, randomBytes(sizeBytes), count % 2 === 0)
      .then((id) => {
        if (id !== undefined) accepted.add(id)
      })
      // A killed node answers nothing, and promised nothing.
      .catch(() => undefined)
      .finally(() => underWay.delete(request))
    underWay.add(request)
  }, 1_000 / perSecond)
  // A test that failed does not stop it.
  timer.unref()
  return {
    accepted,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}

/** The id, if the node promised to have it sequenced. */
async function submit(node: NodeProcess, data: Uint8Array, isOriginal: boolean): Promise<string | undefined> {
  if (isOriginal) {
    const { status, text } = await node.post('/schedule', { data: [...data], timestamp: 0 })
    return status === 200 && text.startsWith('[Ok]') ? idOf(data) : undefined
  }
  const { status } = await node.post('/v1/messages', { data: Buffer.from(data).toString('base64') })
  return status === 202 ? idOf(data) : undefined
}
