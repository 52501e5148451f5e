// What a liar has at hand, out of the run that it is part of: its own node and keys, and the links to send over whatever it
// likes.
import { encodeFrame } from '../codec/index.ts'
import type { LiarTools } from './behaviour.ts'
import type { Links } from './links.ts'
import type { SimulatedNode } from './node.ts'
import type { Common } from './process.ts'
import { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

/** @param side 1 for the second of two twins, 0 otherwise. */
export function liarToolsOf(
  node: SimulatedNode,
  side: number,
  { scenario, common, links }: { scenario: Scenario; common: Common; links: Links },
): LiarTools {
  const { genesis, scheduler } = common
  const send = (to: number, bytes: Uint8Array) => {
    if (node.isUp) links.send(node, to, bytes)
  }
  return {
    self: node.validator ?? -1,
    side,
    genesis,
    elapsedMs: () => scheduler.nowMs,
    healMs: scenario.healMs,
    random: Random.stream(scenario.seed, `liar ${node.number}`),
    others: links.othersOf(node),
    replica: () => node.replica,
    nowMs: () => node.nowMs(),
    sign: (kind, bytes) => node.signAnything(kind, bytes),
    send,
    sendFrame: (to, frame) => send(to, encodeFrame(frame)),
    after: (delayMs, action) => {
      scheduler.after(delayMs, action)
    },
  }
}
