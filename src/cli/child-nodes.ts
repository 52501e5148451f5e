// The nodes of `devnet` as child processes: starts them, keeps their logs, tells of those that end, stops them all.
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { environmentNameOf, optionKeys, optionOf } from '../node/config.ts'
import { homePaths } from '../node/home.ts'
import type { TestnetNode } from '../node/testnet.ts'
import { nodeArguments, nodeEnvironment } from './node-process.ts'

export interface ChildNodesEvents {
  /** A warning or error of a node's log, for the terminal. */
  readonly onTrouble: (node: TestnetNode, line: string) => void
  /** A node ended without having been told to. */
  readonly onEnd: (node: TestnetNode, how: string) => void
}

interface Child {
  readonly node: TestnetNode
  readonly process: ChildProcess
  readonly log: WriteStream
  readonly ended: Promise<void>
}

/** pino's number for `warn`. */
const warnLevel = 40
/** A node that has not stopped by then is not going to. */
const stopTimeoutMs = 15_000

export class ChildNodes {
  readonly #events: ChildNodesEvents
  #children: Child[] = []
  #isStopping = false

  constructor(events: ChildNodesEvents) {
    this.#events = events
  }

  /** How many are running. */
  get count(): number {
    return this.#children.length
  }

  /** The nodes that are running. */
  get nodes(): readonly TestnetNode[] {
    return this.#children.map(({ node }) => node)
  }

  start(nodes: readonly TestnetNode[], env: Readonly<Record<string, string | undefined>>): void {
    this.#children = nodes.map((node) => this.#spawn(node, env))
  }

  /** Resolves when all have ended, with those that did not stop in time and were killed. */
  async stop(): Promise<readonly TestnetNode[]> {
    this.#isStopping = true
    const children = [...this.#children]
    for (const { process } of children) process.kill('SIGTERM')
    let late: readonly TestnetNode[] = []
    const timer = setTimeout(() => {
      late = this.nodes
      this.kill()
    }, stopTimeoutMs)
    await Promise.all(children.map(({ ended }) => ended))
    clearTimeout(timer)
    return late
  }

  /** Ends all at once; what they answered 202 is on disk. */
  kill(): void {
    this.#isStopping = true
    for (const { process } of this.#children) process.kill('SIGKILL')
  }

  #spawn(node: TestnetNode, env: Readonly<Record<string, string | undefined>>): Child {
    // In a group of its own: a terminal's Ctrl-C reaches us alone, and we stop the nodes in order. The channel closes
    // when we are gone, however we went, and then a node stops by itself.
    const child = spawn(process.execPath, nodeArguments(node.home), {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: nodeEnvironment(sharedEnvironment(env)),
    })
    const log = createWriteStream(homePaths(node.home).log, { flags: 'a' })
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        log.write(`${line}\n`)
        const trouble = troubleOf(line)
        if (trouble !== undefined) this.#events.onTrouble(node, trouble)
      })
    }
    const ended = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        this.#children = this.#children.filter(({ process }) => process !== child)
        log.end(() => resolve())
        const how = signal === null ? `exit code ${code}` : `killed by ${signal}`
        if (!this.#isStopping) this.#events.onEnd(node, how)
      })
    })
    return { node, process: child, log, ended }
  }
}

/** The environment without what must differ between nodes of one machine. */
function sharedEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const perNode = optionKeys.filter((key) => optionOf(key).isPerNode === true).map(environmentNameOf)
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !perNode.includes(name) && name !== 'DISEQ_HOME'),
  )
}

/** What a line of a node's log says to people, if it is a warning or worse; lines that are not the logger's (a crash,
 *  a warning of Node) are. */
function troubleOf(line: string): string | undefined {
  if (line.trim() === '') return undefined
  let entry: { level?: unknown; msg?: unknown; error?: { message?: unknown } }
  try {
    entry = JSON.parse(line)
  } catch {
    // No line of the logger.
    return line
  }
  if (typeof entry.level !== 'number' || entry.level < warnLevel) return undefined
  const message = String(entry.msg ?? '')
  const cause = entry.error?.message
  return typeof cause === 'string' && !message.includes(cause) ? `${message}: ${cause}` : message
}
