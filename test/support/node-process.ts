// One node of a test network as a child process of its own: started from the sources, stopped, killed, started again.
// Its log is kept; whoever waits in vain for something shows it.
import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Checker, checkerFor, type OpenApiDocument } from './api-calls.ts'

/** What `diseq` runs. */
export const commandFile = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** Sources compiled once serve all starts. */
export const childEnvironment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DISEQ_'))),
  NODE_COMPILE_CACHE: join(tmpdir(), 'diseq-test-compile-cache'),
}
const startTimeoutMs = 60_000
const stopTimeoutMs = 20_000
const requestTimeoutMs = 30_000
const logLinesKept = 4_000

export interface Reply {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** Holds replies against the description that the first node asked gave: all run the same program. */
let checker: Checker | undefined

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class NodeProcess {
  readonly name: string
  readonly home: string
  /** `http://host:port`, the same after every start. */
  readonly url: string
  /** Multiaddr with the peer id. */
  readonly p2pAddress: string
  readonly #logLevel: string
  readonly #log: string[] = []
  #child: ChildProcess | undefined
  #ended: Promise<number | string> = Promise.resolve(0)

  constructor(options: {
    name: string
    home: string
    httpPort: number
    p2pAddress: string
    logLevel?: string
  }) {
    this.name = options.name
    this.home = options.home
    this.url = `http://127.0.0.1:${options.httpPort}`
    this.p2pAddress = options.p2pAddress
    this.#logLevel = options.logLevel ?? 'info'
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get pid(): number | undefined {
    return this.#child?.pid
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
    const child = spawn(process.execPath, [commandFile, 'start', ...flags, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: childEnvironment,
    })
    this.#child = child
    running.add(child)
    this.#note(`--- ${this.name} starts, pid ${child.pid}`)
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#note(`--- ${this.name} ended: ${signal ?? `exit code ${code}`}`)
        running.delete(child)
        if (this.#child === child) this.#child = undefined
        resolve(signal ?? code ?? 0)
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

  async get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.#request(path, { headers })
  }

  /** The JSON of a reply. @throws unless the status is 200. */
  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.get(path)
    if (status !== 200) throw new Error(`${this.name} ${path}: ${status} ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }

  /** A body that is no text or bytes goes as JSON. */
  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    return this.#request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: isRaw ? (body as string) : JSON.stringify(body),
    })
  }

  /** The end of the log. */
  tail(count: number): string {
    return this.#log.slice(-count).join('\n')
  }

  /** @throws also where the reply is not as the node's own description has it. */
  async #request(path: string, init: RequestInit): Promise<Reply> {
    checker ??= checkerFor((await (await this.#fetch('/openapi.json')).json()) as OpenApiDocument)
    const reply = await this.#fetch(path, init)
    const { status, headers } = reply
    const text = await reply.text()
    const method = init.method === 'POST' ? 'POST' : 'GET'
    const contentType = headers.get('content-type') ?? undefined
    checker(
      { method, url: path },
      { statusCode: status, headers: { 'content-type': contentType }, body: text },
    )
    return { status, text, headers }
  }

  #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { ...init, signal: AbortSignal.timeout(requestTimeoutMs) })
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
