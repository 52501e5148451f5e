// One node of a test network as a child process of its own: started from the sources, stopped, killed, started again.
// Its log is kept; whoever waits in vain for something shows it.
import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NodeHttp } from './node-http.ts'

export type { Reply } from './node-http.ts'

/** What `diseq` runs. */
export const commandFile = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** Sources compiled once serve all starts. */
export const childEnvironment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DISEQ_'))),
  NODE_COMPILE_CACHE: join(tmpdir(), 'diseq-test-compile-cache'),
}
const startTimeoutMs = 60_000
const stopTimeoutMs = 20_000
const logLinesKept = 4_000

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class NodeProcess extends NodeHttp {
  readonly home: string
  /** Multiaddr with the peer id. */
  readonly p2pAddress: string
  readonly #launcher: readonly string[]
  readonly #environment: NodeJS.ProcessEnv
  readonly #logLevel: string
  readonly #log: string[] = []
  #child: ChildProcess | undefined
  #ended: Promise<number | string> = Promise.resolve(0)
  #ending: number | string | undefined

  constructor(options: {
    name: string
    home: string
    httpPort: number
    p2pAddress: string
    logLevel?: string
    /** Where its HTTP is; loopback where absent. */
    host?: string
    /** A command that becomes the one after it, such as one that enters a namespace. */
    launcher?: readonly string[]
    /** Variables besides those of all nodes. */
    environment?: NodeJS.ProcessEnv
  }) {
    super(options.name, `http://${options.host ?? '127.0.0.1'}:${options.httpPort}`)
    this.home = options.home
    this.p2pAddress = options.p2pAddress
    this.#launcher = options.launcher ?? []
    this.#environment = { ...childEnvironment, ...options.environment }
    this.#logLevel = options.logLevel ?? 'info'
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** How the last run ended: its exit code or the signal that ended it. Undefined while it runs. */
  get ending(): number | string | undefined {
    return this.#ending
  }

  /** Lines of the log so far, of all runs. */
  get log(): readonly string[] {
    return this.#log
  }

  /** Lines of the log that are warnings or errors. */
  get troubles(): string[] {
    return this.#log.filter((line) => /"level":(40|50|60)/.test(line) || !line.startsWith('{'))
  }

  /** Resolves when the node serves HTTP. */
  async start(...args: readonly string[]): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`)
    const flags = ['--home', this.home, '--log-format', 'json', '--log-level', this.#logLevel]
    // The channel closes when this process is gone, however it went, and then the node stops by itself.
    const [command, ...before] = [...this.#launcher, process.execPath]
    const child = spawn(command ?? '', [...before, commandFile, 'start', ...flags, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: this.#environment,
    })
    this.#child = child
    this.#ending = undefined
    running.add(child)
    this.#note(`--- ${this.name} starts, pid ${child.pid}`)
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#note(`--- ${this.name} ended: ${signal ?? `exit code ${code}`}`)
        running.delete(child)
        if (this.#child === child) this.#child = undefined
        this.#ending = signal ?? code ?? 0
        resolve(this.#ending)
      })
    })
    this.#keepLines(child)
    await this.#untilServing(child)
  }

  /** As a crash ends it; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** As an operator ends it. @throws unless it ends by itself, without an error. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    const how = await this.#ended
    clearTimeout(timer)
    if (how !== 0) throw new Error(`${this.name} did not stop cleanly: ${how}\n${this.tail(40)}`)
  }

  /** The end of the log. */
  tail(count: number): string {
    return this.#log.slice(-count).join('\n')
  }

  /** What it said since it was last started. */
  logOfLastRun(): string {
    const start = this.#log.findLastIndex((line) => line.startsWith(`--- ${this.name} starts`))
    return this.#log.slice(Math.max(0, start)).join('\n')
  }

  #untilServing(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer)
        reject(new Error(`${this.name} ${why}\n${this.tail(40)}`))
      }
      const timer = setTimeout(() => fail(`does not serve after ${startTimeoutMs} ms`), startTimeoutMs)
      child.once('close', (code, signal) => fail(`ended at its start: ${signal ?? code}`))
      child.stdout?.on('data', (chunk: Buffer) => {
        if (!chunk.includes('Running')) return
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #keepLines(child: ChildProcess): void {
    let rest = ''
    child.stderr?.setEncoding('utf8')
    child.stderr?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#note(line)
    })
  }

  #note(line: string): void {
    this.#log.push(line)
    if (this.#log.length > logLinesKept) this.#log.shift()
  }
}
