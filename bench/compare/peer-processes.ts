// The processes of a peer, in a folder that goes with them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { MeasuredProcess } from '../../src/bench/index.ts'
import { ended } from '../../src/cli/bench-network.ts'
import { Failure } from '../../src/cli/errors.ts'

const readyTimeoutMs = 60_000
const replyTimeoutMs = 5_000
const logTailChars = 600

interface Started {
  readonly name: string
  readonly log: string
  readonly child: ChildProcess
}

export class PeerProcesses {
  readonly folder: string
  readonly #started: Started[] = []

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `diseq-compare-${name}-`))
  }

  get measured(): readonly MeasuredProcess[] {
    return this.#started.flatMap(({ name, child }) =>
      child.pid === undefined ? [] : [{ name, pid: child.pid }],
    )
  }

  /** A folder inside, made if it is not there. */
  folderOf(name: string): string {
    const path = join(this.folder, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** Returns its process id, or −1 where it could not be started. */
  start(name: string, program: string, args: readonly string[]): number {
    const log = join(this.folder, `${name}.log`)
    const file = openSync(log, 'a')
    const child = spawn(program, args, { cwd: this.folder, stdio: ['ignore', file, file] })
    // A program that cannot be started is noticed as one that ended.
    child.on('error', () => undefined)
    this.#started.push({ name, log, child })
    return child.pid ?? -1
  }

  /** Resolves once `isReady` says so; what it throws counts as no. @throws Failure where one ends, or it takes too long. */
  async untilReady(isReady: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + readyTimeoutMs
    while (!(await isReady().catch(() => false))) {
      const gone = this.#started.find(
        ({ child }) => child.exitCode !== null || child.signalCode !== null || child.pid === undefined,
      )
      if (gone !== undefined) throw new Failure(`${gone.name} ended while it started: ${tailOf(gone.log)}`)
      if (performance.now() > deadlineMs) {
        const [first] = this.#started
        throw new Failure(`not ready after a minute: ${first === undefined ? '' : tailOf(first.log)}`)
      }
      await pause(100)
    }
  }

  async stop(): Promise<void> {
    const running = this.#started.filter(({ child }) => child.pid !== undefined)
    await Promise.all(running.map(({ child }) => ended(child)))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What a program says of itself; undefined where it is not to be found or fails. */
export function outputOf(program: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 })
  return status === 0 ? `${stdout}${stderr}`.trim() : undefined
}

/** The JSON that an address answers with. Rejects where it answers anything else. */
export async function jsonFrom(address: string): Promise<unknown> {
  const reply = await fetch(address, { signal: AbortSignal.timeout(replyTimeoutMs) })
  if (!reply.ok) throw new Error(`${address} answered ${reply.status}`)
  return reply.json()
}

function tailOf(log: string): string {
  return readFileSync(log, 'utf8').slice(-logTailChars).trim().replace(/\s+/g, ' ')
}
