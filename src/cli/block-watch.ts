// Follows a network's final blocks over HTTP for `devnet`: asks one node, and another where that one is gone.
import { type BlockReply, Client, ClientError } from '../client/index.ts'

export interface BlockWatchOptions {
  /** Addresses of the nodes that run now. */
  readonly nodes: () => readonly string[]
  readonly onBlock: (block: BlockReply) => void
  readonly signal: AbortSignal
}

/** Between two questions: what a person does not notice, and a loopback server neither. */
const pollIntervalMs = 200

/** Tells of each final block above `height`, in order, until the signal aborts: those final by then included. */
export async function watchBlocks(
  height: number,
  { nodes, onBlock, signal }: BlockWatchOptions,
): Promise<void> {
  let seen = height
  for (;;) {
    const isLastLook = signal.aborted
    try {
      const client = new Client({ nodes: nodes(), busyTimeoutMs: 0, timeoutMs: 5_000 })
      const { finalHeight } = await client.status()
      while (seen < finalHeight) {
        const block = await client.block(seen + 1)
        if (block === undefined) break
        seen += 1
        onBlock(block)
      }
    } catch (error) {
      // No node answers just now: one that ended is told of elsewhere, one that starts will answer.
      if (!(error instanceof ClientError || error instanceof TypeError)) throw error
    }
    if (isLastLook) return
    await pause(pollIntervalMs, signal)
  }
}

/** The height of the last final block, once every node that runs answers; undefined if the signal aborts before. */
export async function untilAllAnswer(
  nodes: () => readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  for (;;) {
    if (signal.aborted) return undefined
    const addresses = nodes()
    const clients = addresses.map(
      (address) => new Client({ nodes: [address], busyTimeoutMs: 0, timeoutMs: 5_000 }),
    )
    const asked = await Promise.allSettled(clients.map((client) => client.status()))
    const heights = asked.flatMap((answer) =>
      answer.status === 'fulfilled' ? [answer.value.finalHeight] : [],
    )
    if (heights.length > 0 && heights.length === addresses.length) return Math.max(...heights)
    await pause(pollIntervalMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
