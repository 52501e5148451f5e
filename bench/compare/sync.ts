// Block sync: how fast a new node fetches the chain that a turn has made, from the start of its process.
import { setTimeout as pause } from 'node:timers/promises'
import { usageOf } from '../../src/bench/processes.ts'
import { Failure } from '../../src/cli/errors.ts'
import type { Syncing } from './contender.ts'

const lookMs = 10
/** The chain is whole once no block came for so long. */
const quietMs = 1_000
const quietTimeoutMs = 30_000

export interface SyncFigures {
  readonly target: string
  readonly round: number
  readonly blocks: number
  readonly messages: number
  /** Seconds from the start of the process to the first block, and to the last. */
  readonly firstSeconds: number
  readonly seconds: number
  readonly messagesPerSecond: number
  /** The most that it held, in bytes. */
  readonly residentMaxBytes: number
}

/** @throws Failure where the new node does not have the whole chain within `timeoutMs`. */
export async function measureSync(
  { chain, join }: Syncing,
  {
    target,
    round,
    timeoutMs,
  }: { readonly target: string; readonly round: number; readonly timeoutMs: number },
): Promise<SyncFigures> {
  const { height: blocks, messages } = await quietChain(chain)
  const { startedMs, pid, height } = await join()
  const seconds = () => (performance.now() - startedMs) / 1_000
  let firstSeconds: number | undefined
  let residentMaxBytes = 0
  for (let here = 0; here < blocks; ) {
    // It does not listen yet, or is busy.
    here = await height().catch(() => here)
    if (here > 0) firstSeconds ??= seconds()
    residentMaxBytes = Math.max(residentMaxBytes, usageOf(pid)?.residentBytes ?? 0)
    if (seconds() * 1_000 > timeoutMs)
      throw new Failure(
        `a new node of ${target} has ${here} of ${blocks} blocks after ${seconds().toFixed(0)} s`,
      )
    await pause(lookMs)
  }
  const took = seconds()
  return {
    target,
    round,
    blocks,
    messages,
    firstSeconds: firstSeconds ?? took,
    seconds: took,
    messagesPerSecond: messages / took,
    residentMaxBytes,
  }
}

async function quietChain(chain: Syncing['chain']): Promise<Awaited<ReturnType<Syncing['chain']>>> {
  const deadlineMs = performance.now() + quietTimeoutMs
  for (let last = await chain(); ; ) {
    await pause(quietMs)
    const now = await chain()
    if (now.height === last.height) return now
    if (performance.now() > deadlineMs) throw new Failure('blocks go on coming after the last message')
    last = now
  }
}

/** As a table in Markdown, DISEQ's figure divided by the peer's of the same round behind each. */
export function syncTableOf(all: readonly SyncFigures[]): string {
  const own = (round: number) => all.find((figures) => figures.target === 'diseq' && figures.round === round)
  const rows = [
    [
      'block sync of',
      'round',
      'messages',
      'blocks',
      'first block s',
      'all s',
      'messages/s',
      'diseq ÷ it',
      'MiB',
    ],
    ['---', '---:', '---:', '---:', '---:', '---:', '---:', '---:', '---:'],
    ...all.map((figures) => {
      const { target, round, messages, blocks, messagesPerSecond } = figures
      const ratio = (own(round)?.messagesPerSecond ?? Number.NaN) / messagesPerSecond
      return [
        target,
        String(round + 1),
        String(messages),
        String(blocks),
        figures.firstSeconds.toFixed(2),
        figures.seconds.toFixed(1),
        messagesPerSecond.toFixed(0),
        Number.isFinite(ratio) ? ratio.toFixed(2) : '–',
        (figures.residentMaxBytes / 2 ** 20).toFixed(0),
      ]
    }),
  ]
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
}
