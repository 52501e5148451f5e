// One hostile run: a network under load, faults in rounds, and after each round the proof that it goes on; at the end,
// the proof that nothing was lost, doubled or signed twice.
import assert from 'node:assert/strict'
import { assertOneSequence, isSettled, sequenceOf, statusOf } from '../support/chains.ts'
import { Random } from '../support/random.ts'
import { WireListener } from '../support/wire-listener.ts'
import { Faults, isReady } from './faults.ts'
import { Finals } from './finals.ts'
import type { Ground } from './ground.ts'
import { Load } from './load.ts'
import { type FaultKind, faultKinds, type Manifest } from './manifest.ts'
import { until } from './wait.ts'
import { Watch } from './watch.ts'

export interface Outcome {
  readonly seed: number
  readonly minutes: number
  /** As many of those planned as the minutes had time for, and one at least: recovering takes what it takes. */
  readonly rounds: number
  readonly roundsPlanned: number
  readonly faults: Partial<Record<FaultKind, number>>
  /** Kinds that this machine could not make, and why. */
  readonly leftOut: Partial<Record<FaultKind, string>>
  readonly messages: number
  /** Promised by a node that lost its disk before anybody else had them. */
  readonly messagesLostWithDisks: number
  readonly blocks: number
  /** Different things signed, by records and wire. */
  readonly statements: number
  readonly droppedPackets: number
  /** From the end of a round's faults until all nodes go on. */
  readonly recoverySeconds: { readonly median: number; readonly longest: number }
  readonly memory: readonly string[]
}

/** How long a network that is whole again may take until all nodes are ready and have a new block, not counting the
 *  time in which the last of them comes closer. View timers have grown meanwhile, to 30 s at most. */
const recoveryTimeoutMs = 180_000
const settleTimeoutMs = 180_000
const lookedUp = 60

export async function runCampaign(options: {
  manifest: Manifest
  ground: Ground
  note: (line: string) => void
}): Promise<Outcome> {
  const { manifest, ground, note } = options
  const { nodes } = ground
  const random = new Random(manifest.seed ^ 0x10ad)
  const load = new Load({ nodes, random, ...manifest.load })
  const finals = new Finals(nodes)
  const watch = new Watch(nodes)
  const faults = new Faults({ ground, load, finals, watch, note })
  const closing: (() => Promise<void>)[] = []
  try {
    await Promise.all(nodes.map((node) => node.start()))
    const allReady = async () => (await Promise.all(nodes.map(isReady))).every(Boolean)
    await until('all nodes are ready', allReady, recoveryTimeoutMs)
    await listen(ground, watch, closing)
    load.start()
    await goOn(ground)

    const recoveries: number[] = []
    const startedAt = performance.now()
    for (const [at, round] of manifest.rounds.entries()) {
      if (performance.now() - startedAt > 60_000 * manifest.minutes) {
        note(`the ${manifest.minutes} minutes are over`)
        break
      }
      note(`round ${at + 1} of ${manifest.rounds.length}`)
      await Promise.all(round.faults.map((fault) => faults.perform(fault)))
      await faults.heal()
      const healedAt = performance.now()
      await goOn(ground)
      const seconds = (performance.now() - healedAt) / 1_000
      recoveries.push(seconds)
      await finals.update()
      await checkRound({ ground, load, finals, watch })
      note(
        `all go on after ${seconds.toFixed(1)} s; block ${finals.height}, ${load.promisedCount} messages promised`,
      )
    }

    await load.stop()
    await until('all nodes have one tip and nothing is pending', () => isSettled(nodes, 1), settleTimeoutMs)
    const blocks = await checkSequence(ground, load)
    await finals.update()
    await checkRound({ ground, load, finals, watch })
    const growth = watch.growth(manifest.witness.node)
    assert.deepEqual(growth.problems, [])
    const droppedPackets = await ground.droppedPackets()

    // Whatever they keep is what the chain says.
    for (const index of nodes.keys()) watch.mayEnd.add(index)
    await Promise.all(nodes.map((node) => node.stop()))
    watch.look()
    assert.deepEqual(watch.problems, [])
    for (const node of nodes) {
      const { code, output } = await node.diseq('check')
      assert.equal(code, 0, `diseq check of ${node.name}:\n${output}`)
    }

    const leftOut = Object.fromEntries(ground.missing)
    const counts = Object.fromEntries(faults.counts)
    const rounds = manifest.rounds.slice(0, recoveries.length)
    checkSomethingHappened({ rounds, counts, leftOut, droppedPackets, blocks, load, watch })
    const sorted = recoveries.map((seconds) => Math.round(seconds * 10) / 10).sort((a, b) => a - b)
    return {
      seed: manifest.seed,
      minutes: manifest.minutes,
      rounds: rounds.length,
      roundsPlanned: manifest.rounds.length,
      faults: counts,
      leftOut,
      messages: load.promisedCount,
      messagesLostWithDisks: load.lostCount,
      blocks,
      statements: watch.ledger.size,
      droppedPackets,
      recoverySeconds: { median: sorted[Math.floor(sorted.length / 2)] ?? 0, longest: sorted.at(-1) ?? 0 },
      memory: growth.lines,
    }
  } finally {
    watch.stop()
    for (const close of closing) await close()
  }
}

/** A stranger that hears what is signed: a signature that no record knows of would show. */
async function listen(ground: Ground, watch: Watch, closing: (() => Promise<void>)[]): Promise<void> {
  const { genesis, nodes, p2pAddresses } = ground
  const network = {
    genesis,
    nodes: p2pAddresses.map((p2pAddress) => ({ p2pAddress })),
    running: nodes,
    until: (what: string, holds: () => boolean) => until(what, holds, recoveryTimeoutMs),
  }
  await WireListener.join({ after: (end) => void closing.push(end) }, network, watch.ledger)
}

/** Resolves when every node is ready and has a block that no node has now. */
async function goOn(ground: Ground): Promise<void> {
  const { nodes } = ground
  const heights = async () => (await Promise.all(nodes.map(statusOf))).map(({ finalHeight }) => finalHeight)
  let now: readonly number[] = []
  await until(
    'all nodes answer',
    async () => {
      now = await heights()
      return true
    },
    recoveryTimeoutMs,
  )
  const highest = Math.max(...now)
  let lowest = 0
  const haveGoneOn = async () => {
    now = await heights()
    const ready = await Promise.all(nodes.map(isReady))
    return ready.every(Boolean) && now.every((height) => height > highest)
  }
  // A node that lost its database fetches the chain: that takes as long as the chain is, and is no standstill.
  const comesCloser = () => {
    const before = lowest
    lowest = Math.max(lowest, Math.min(...now, highest + 1))
    return lowest > before
  }
  const what = `all nodes are ready and beyond block ${highest}`
  await until(what, haveGoneOn, recoveryTimeoutMs, comesCloser)
}

/** What holds after every round. */
async function checkRound(parts: {
  ground: Ground
  load: Load
  finals: Finals
  watch: Watch
}): Promise<void> {
  const { ground, load, finals, watch } = parts
  watch.look()
  assert.deepEqual([...watch.problems, ...load.problems, ...finals.problems], [])
  for (const node of ground.nodes) {
    const { evidence } = await node.json<{ evidence: readonly unknown[] }>('/v1/evidence')
    assert.deepEqual(evidence, [], `${node.name} holds evidence, and nobody lied`)
  }
}

/** One sequence everywhere, with all that was promised in it once, where it was said to be. Returns the count of blocks. */
async function checkSequence({ nodes }: Ground, load: Load): Promise<number> {
  const blocks = await assertOneSequence(nodes, [])
  const sequence = new Set(sequenceOf(blocks))
  const lost = [...load.promised].filter((id) => !sequence.has(id))
  assert.deepEqual(
    lost.map((id) => load.describe(id)),
    [],
    'messages that were promised are not final',
  )
  for (const { id, height, index, node } of load.claims) {
    const found = blocks[height - 1]?.messages[index]?.id
    assert.equal(found, id, `node${node} said that ${id} is message ${index} of block ${height}`)
  }
  const promised = [...load.promised]
  const step = Math.max(1, Math.floor(promised.length / lookedUp))
  for (const node of nodes) {
    for (let at = 0; at < promised.length; at += step) {
      const state = await node.json<{ state: string; height: number; index: number }>(
        `/v1/messages/${promised[at]}`,
      )
      assert.equal(state.state, 'final')
      assert.equal(blocks[state.height - 1]?.messages[state.index]?.id, promised[at])
    }
  }
  return blocks.length
}

/** A run in which nothing happened proves nothing. */
function checkSomethingHappened(seen: {
  rounds: Manifest['rounds']
  counts: Partial<Record<FaultKind, number>>
  leftOut: Partial<Record<FaultKind, string>>
  droppedPackets: number
  blocks: number
  load: Load
  watch: Watch
}): void {
  const { rounds, counts, leftOut, droppedPackets, blocks, load, watch } = seen
  const planned = rounds.flatMap(({ faults }) => faults)
  for (const kind of faultKinds) {
    const due = planned.filter((fault) => fault.kind === kind).length
    if (leftOut[kind] === undefined) assert.equal(counts[kind] ?? 0, due, `faults of the kind ${kind}`)
  }
  const lossy: readonly FaultKind[] = ['partition', 'partial-partition', 'one-way', 'loss']
  const isLossy = planned.some(({ kind }) => lossy.includes(kind))
  assert.ok(!isLossy || droppedPackets > 0, 'links were cut, and not a packet was dropped')
  assert.ok(blocks >= 2 * rounds.length, `${blocks} blocks in ${rounds.length} rounds`)
  assert.ok(
    load.promisedCount >= 20 * rounds.length,
    `${load.promisedCount} messages in ${rounds.length} rounds`,
  )
  assert.ok(load.claims.length > 0, 'nobody waited for a message to be final')
  assert.ok(watch.ledger.size >= 4 * blocks, `${watch.ledger.size} signatures in ${blocks} blocks`)
}
