// Gathers what `diseq debug dump` hands out: files of the home, and what the node says while it runs. Keys are neither
// read nor copied; the one thing that holds them, the heap, stays in the home and is written on request only.
import { existsSync, mkdirSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { arch, cpus, freemem, loadavg, platform, release, totalmem, uptime } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { formatHostPort, loadConfig } from '../node/config.ts'
import { homePaths } from '../node/home.ts'
import { softwareVersion } from '../node/version.ts'
import { Failure } from './errors.ts'

export interface DumpOptions {
  readonly home: string
  readonly folder: string
  /** The running node's address; absent: that of its config. */
  readonly node: string | undefined
  readonly isHeapWanted: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onProgress: (what: string) => void
}

export interface Dump {
  readonly files: readonly string[]
  /** What was not to be had, and why. */
  readonly missing: readonly string[]
  readonly heapFile: string | undefined
}

/** The end of a log says what happened; all of it may be gigabytes. */
const logBytesMax = 8 * 1024 * 1024
const replyTimeoutMs = 10_000
const heapTimeoutMs = 120_000

const views = {
  'status.json': '/v1/status',
  'peers.json': '/v1/peers',
  'validators.json': '/v1/validators',
  'pool.json': '/v1/pool?limit=50',
  'commitments.json': '/v1/commitments',
  'evidence.json': '/v1/evidence',
  'limits.json': '/v1/config',
  'latest-block.json': '/v1/blocks/latest',
  'ready.json': '/health/ready',
  'metrics.txt': '/metrics',
}

/** Makes the folder. What cannot be had is listed, not an error.
 *  @throws Failure where the heap is wanted and no node runs. */
export async function makeDump(options: DumpOptions): Promise<Dump> {
  const { home, folder, env, onProgress } = options
  const paths = homePaths(home)
  const files: string[] = []
  const missing: string[] = []
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const write = (name: string, content: string | Uint8Array): void => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    files.push(name)
  }
  write('machine.json', `${JSON.stringify(await machine(home), null, 2)}\n`)
  for (const [name, path] of Object.entries({ 'config.yaml': paths.config, 'genesis.json': paths.genesis })) {
    if (existsSync(path)) write(name, readFileSync(path))
    else missing.push(`${path}: not there`)
  }
  if (existsSync(paths.log)) write('node.log', endOf(paths.log))
  else missing.push(`${paths.log}: the node writes its log elsewhere; add it by hand`)
  write('environment.json', `${JSON.stringify(ownVariables(env), null, 2)}\n`)

  const address = options.node ?? `http://${formatHostPort(loadConfig({ home, flags: {}, env }).http)}`
  for (const [name, path] of Object.entries(views)) {
    onProgress(`asking ${address}${path}`)
    const reply = await ask(`${address}${path}`)
    if ('text' in reply) write(name, reply.text)
    else missing.push(`${address}${path}: ${reply.reason}`)
  }
  const heapFile = options.isHeapWanted ? await writeHeap(home, onProgress) : undefined
  return { files, missing, heapFile }
}

async function machine(home: string): Promise<object> {
  const { bsize, blocks, bavail } = await statfs(home)
  return {
    diseq: softwareVersion(),
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    cpus: cpus().length,
    load: loadavg(),
    memoryBytes: { total: totalmem(), free: freemem() },
    diskBytes: { total: bsize * blocks, free: bsize * bavail },
    uptimeSeconds: Math.round(uptime()),
    time: new Date().toISOString(),
  }
}

function endOf(path: string): Uint8Array {
  const { size } = statSync(path)
  const length = Math.min(size, logBytesMax)
  const bytes = new Uint8Array(length)
  readSync(openSync(path, 'r'), bytes, 0, length, size - length)
  return bytes
}

/** Ours only: others' may be secrets. */
function ownVariables(env: DumpOptions['env']): object {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('DISEQ_')))
}

async function ask(url: string): Promise<{ text: string } | { reason: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(replyTimeoutMs) })
    return { text: await response.text() }
  } catch (error) {
    const { cause, message } = error as Error
    return { reason: cause instanceof Error && cause.message !== '' ? cause.message : message }
  }
}

/** The running node writes its heap into its home when it is told to by a signal (`start` listens). */
async function writeHeap(home: string, onProgress: (what: string) => void): Promise<string> {
  const { processId, heap } = homePaths(home)
  const id = existsSync(processId) ? Number(readFileSync(processId, 'utf8')) : Number.NaN
  if (!Number.isSafeInteger(id) || !isRunning(id)) {
    throw new Failure(`${home}: no node runs here, so there is no heap to write; leave out --heap`)
  }
  const before = existsSync(heap) ? statSync(heap).mtimeMs : 0
  process.kill(id, 'SIGUSR2')
  onProgress('the node writes its heap …')
  for (let waitedMs = 0; waitedMs < heapTimeoutMs; waitedMs += 200) {
    await pause(200)
    if (existsSync(heap) && statSync(heap).mtimeMs > before) return heap
  }
  throw new Failure(`${home}: the node did not write its heap within ${heapTimeoutMs / 1000} s`)
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0)
  } catch {
    // No such process, or not ours to signal.
    return false
  }
}
