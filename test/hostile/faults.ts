// Does to a ground what a manifest says, undoes it, and looks that each fault was one: a disk that is full, a clock that
// jumped, packets that were dropped.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { homePaths } from '../../src/node/home.ts'
import { describe } from './describe.ts'
import type { Finals } from './finals.ts'
import type { Ground, GroundNode, LinkRule } from './ground.ts'
import type { Load } from './load.ts'
import { allLinks, type Fault, type FaultKind, type Link } from './manifest.ts'
import { pause, until } from './wait.ts'
import type { Watch } from './watch.ts'

const readyTimeoutMs = 180_000
/** Until a clock that was set shows: it is looked at every second. */
const clockTimeoutMs = 15_000
/** Dates of replies are in whole seconds, and come over a slow line. */
const clockSlackMs = 3_000
const refillEveryMs = 500
const noRoom = /disk (is )?full|no space left/i
/** A line of a stack: what operators are not shown. */
const stackLine = /^\s+at .+:\d+:\d+\)?$/m

export class Faults {
  /** Faults of each kind that were done and undone. */
  readonly counts = new Map<FaultKind, number>()
  readonly #parts: FaultParts
  readonly #linkRules = new Map<Fault, readonly LinkRule[]>()

  constructor(parts: FaultParts) {
    this.#parts = parts
  }

  /** Resolves when the fault is over and undone. @throws where the node did not stand it as it should. */
  async perform(fault: Fault): Promise<void> {
    const { ground, note } = this.#parts
    const reason = ground.missing.get(fault.kind)
    if (reason !== undefined) return
    await pause(fault.atMs)
    note(describe(fault))
    await this.#do(fault)
    this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1)
  }

  /** Undoes whatever may be left; all nodes run when it resolves. */
  async heal(): Promise<void> {
    const { ground, watch } = this.#parts
    this.#linkRules.clear()
    await ground.setLinks([])
    for (const node of ground.nodes) {
      await node.resume()
      await node.setPlugged(true)
      await node.setRate(undefined)
    }
    const ended = ground.nodes.filter(({ isRunning }) => !isRunning)
    await Promise.all(ended.map((node) => node.start()))
    watch.look()
    watch.mayEnd.clear()
  }

  async #do(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'kill': {
        await this.#each(fault.nodes, (node) => this.#end(node, () => node.kill()))
        await pause(fault.forMs)
        await this.#each(fault.nodes, (node) => this.#start(node))
        return
      }
      case 'restart':
      case 'rolling-restart':
        for (const index of fault.nodes) {
          const node = this.#node(index)
          await this.#end(node, () => node.stop())
          await this.#start(node)
          await until(`${node.name} is ready after its restart`, () => isReady(node), readyTimeoutMs)
        }
        return
      case 'pause':
        await this.#each(fault.nodes, (node) => node.pause())
        await pause(fault.forMs)
        await this.#each(fault.nodes, (node) => node.resume())
        return
      case 'unplug':
        await this.#each(fault.nodes, (node) => node.setPlugged(false))
        await pause(fault.forMs)
        await this.#each(fault.nodes, (node) => node.setPlugged(true))
        return
      case 'partition': {
        const groupOf = (node: number) => fault.groups.findIndex((group) => group.includes(node))
        const all = allLinks(this.#parts.ground.nodes.length)
        const cut = all.filter(({ from, to }) => groupOf(from) !== groupOf(to))
        return this.#withLinks(fault, cut, 100)
      }
      case 'partial-partition':
      case 'one-way':
        return this.#withLinks(fault, fault.links, 100)
      case 'loss':
        return this.#withLinks(fault, fault.links, fault.percent)
      case 'rate':
        await this.#each(fault.nodes, (node) => node.setRate(fault.kbitPerSecond))
        await pause(fault.forMs)
        await this.#each(fault.nodes, (node) => node.setRate(undefined))
        return
      case 'full-disk':
        return this.#each(fault.nodes, (node) => this.#fillDisk(node, fault.forMs))
      case 'corrupt-database':
        return this.#each(fault.nodes, (node) => this.#corrupt(node, fault))
      case 'clock':
        return this.#each(fault.nodes, async (node) => {
          await setClock(node, fault.offsetMs)
          await pause(fault.forMs)
          await setClock(node, 0)
        })
    }
  }

  /** Links that lose packets for a time, beside those that other faults cut. */
  async #withLinks(fault: Fault, links: readonly Link[], lossPercent: number): Promise<void> {
    const { ground, note } = this.#parts
    this.#linkRules.set(
      fault,
      links.map(({ from, to }) => ({ from, to, lossPercent })),
    )
    const before = await ground.droppedPackets()
    await ground.setLinks([...this.#linkRules.values()].flat())
    await pause(fault.forMs)
    // Nobody may have been there to send any.
    if ((await ground.droppedPackets()) === before) note(`${describe(fault)}: dropped nothing`)
    this.#linkRules.delete(fault)
    await ground.setLinks([...this.#linkRules.values()].flat())
  }

  /** A node stops by itself when it cannot write, and says so; it is started once while there is no room, which it
   *  has to stand as well, and again when there is. */
  async #fillDisk(node: GroundNode, forMs: number): Promise<void> {
    const { note } = this.#parts
    this.#parts.watch.mayEnd.add(this.#indexOf(node))
    const deadline = performance.now() + forMs
    while (performance.now() < deadline) {
      // What the node gives free is taken too.
      await node.fillDisk()
      await pause(refillEveryMs)
    }
    // With room again a node that still runs either takes a message or is about to end of what it could not write.
    let refusal: string | undefined
    if (node.isRunning) {
      await node.freeDisk()
      await until(`${node.name} takes messages or ends`, () => takesOrEnds(node), readyTimeoutMs)
      if (node.isRunning) {
        note(`${node.name} had nothing to write`)
        return
      }
      expectPlainEnd(node, noRoom)
    } else {
      expectPlainEnd(node, noRoom)
      refusal = await node.start().then(
        () => undefined,
        () => node.logOfLastRun(),
      )
      if (refusal !== undefined) expectPlainEnd(node, noRoom)
      await node.freeDisk()
    }
    note(
      `${node.name} stopped; ${refusal === undefined ? 'not' : 'and was'} refused a start on the full disk`,
    )
    // Started on the full disk, it may end yet of what it could not write.
    if (node.isRunning)
      await until(`${node.name} takes messages or ends`, () => takesOrEnds(node), readyTimeoutMs)
    if (!node.isRunning) await this.#start(node)
  }

  async #corrupt(node: GroundNode, fault: Fault & { kind: 'corrupt-database' }): Promise<void> {
    const { note, watch } = this.#parts
    await this.#end(node, () => node.kill())
    await this.#forgetPromisesOf(node)
    const { database } = homePaths(node.home)
    const flipped = flipBytes(database, fault)
    const problem = await this.#problemOf(node, fault.forMs)
    note(`${node.name}, ${flipped}: ${problem ?? 'all is right'}`)
    if (problem !== undefined) {
      // What it took meanwhile goes too.
      await this.#forgetPromisesOf(node)
      // As docs/operators.md says: the database goes, the signing record stays.
      rmSync(database, { recursive: true })
    }
    watch.look()
    await this.#start(node)
  }

  /** What a node alone promised may go with its disk; what is final may not. The node has ended. */
  async #forgetPromisesOf(node: GroundNode): Promise<void> {
    const { load, finals } = this.#parts
    const index = this.#indexOf(node)
    await load.settled(index)
    await finals.update()
    load.forgetPromisesOf(index, (id) => finals.has(id))
  }

  /** How a node with a damaged database shows it: it does not start, or it stops, or `diseq check` finds it. Undefined
   *  where nothing is damaged that it keeps. */
  async #problemOf(node: GroundNode, forMs: number): Promise<string | undefined> {
    try {
      await node.start()
    } catch {
      expectPlainEnd(node, /damaged|corrupt/i)
      return 'it does not start'
    }
    await pause(forMs)
    if (node.isRunning) {
      await node.stop()
    } else {
      expectPlainEnd(node, /damaged|corrupt/i)
      return 'it stopped'
    }
    const { code, output } = await node.diseq('check')
    if (stackLine.test(output)) throw new Error(`diseq check of ${node.name} shows a stack:\n${output}`)
    return code === 0 ? undefined : `diseq check: ${output.split('\n', 1)[0]}`
  }

  async #end(node: GroundNode, end: () => Promise<void>): Promise<void> {
    const { watch } = this.#parts
    watch.mayEnd.add(this.#indexOf(node))
    await end()
    watch.look()
  }

  async #start(node: GroundNode): Promise<void> {
    await node.start()
    this.#parts.watch.mayEnd.delete(this.#indexOf(node))
  }

  async #each(nodes: readonly number[], act: (node: GroundNode) => Promise<void>): Promise<void> {
    await Promise.all(nodes.map((index) => act(this.#node(index))))
  }

  #node(index: number): GroundNode {
    const node = this.#parts.ground.nodes[index]
    if (node === undefined) throw new RangeError(`no node ${index}`)
    return node
  }

  #indexOf(node: GroundNode): number {
    return this.#parts.ground.nodes.indexOf(node)
  }
}

export interface FaultParts {
  readonly ground: Ground
  readonly load: Load
  readonly finals: Finals
  readonly watch: Watch
  /** A line for whoever looks on. */
  readonly note: (line: string) => void
}

export async function isReady(node: GroundNode): Promise<boolean> {
  return (await node.get('/health/ready')).status === 200
}

/** Whether it does either. A message that is answered is on its disk. */
async function takesOrEnds(node: GroundNode): Promise<boolean> {
  if (!node.isRunning) return true
  const data = Buffer.from(`is there room, ${performance.now()}`).toString('base64')
  return (await node.post('/v1/messages', { data })).status === 202
}

/** A node that could not go on has said why, in a sentence and without a stack. @throws where it has not. */
function expectPlainEnd(node: GroundNode, reason: RegExp): void {
  const log = node.logOfLastRun()
  const plain = log.split('\n').filter((line) => !line.startsWith('{'))
  if (!reason.test(log)) throw new Error(`${node.name} ended, and not with ${reason}:\n${log.slice(-4_000)}`)
  if (stackLine.test(plain.join('\n')))
    throw new Error(`${node.name} ended with a stack:\n${plain.join('\n')}`)
}

/** Resolves when the node's own clock shows it: the date of its replies. */
async function setClock(node: GroundNode, offsetMs: number): Promise<void> {
  await node.setClock(offsetMs)
  const isSet = async () => {
    const date = Date.parse((await node.get('/health/live')).headers.get('date') ?? '')
    return Math.abs(date - Date.now() - offsetMs) < clockSlackMs
  }
  await until(`the clock of ${node.name} is ${offsetMs} ms off`, isSet, clockTimeoutMs)
}

/** Flips a byte at each of the places, of the newest file of the kind that there is. Says what it did. */
function flipBytes(database: string, { file, places }: Fault & { kind: 'corrupt-database' }): string {
  const namesOf = (ending: string) =>
    readdirSync(database)
      .filter((name) => name.endsWith(ending))
      .sort()
  const [logs, tables] = [namesOf('.log'), namesOf('.ldb')]
  const [wanted, other] = file === 'log' ? [logs, tables] : [tables, logs]
  const candidates = [...wanted, ...other].filter((name) => readFileSync(join(database, name)).length > 0)
  const [name] = candidates
  if (name === undefined || !existsSync(database)) return 'an empty database'
  const path = join(database, name)
  const bytes = readFileSync(path)
  for (const place of places) {
    const at = Math.floor(place * bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ 0xff
  }
  writeFileSync(path, bytes)
  return `${places.length} of ${bytes.length} bytes of ${name} flipped`
}
