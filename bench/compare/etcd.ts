// etcd: three members with its own settings, so each write is synced; puts, or transactions of puts, over its JSON gateway.
import { request as httpRequest } from 'node:http'
import { type FinalMessages, headBytes, type SubmitResult } from '../../src/bench/index.ts'
import { freePorts } from '../../src/cli/bench-network.ts'
import type { Found } from './contender.ts'
import { HttpTarget } from './http-target.ts'
import { jsonFrom, outputOf, PeerProcesses } from './peer-processes.ts'

const members = 3
const host = '127.0.0.1'
/** It answers "too many requests" without a time. */
const retryAfterMs = 50
/** Keys are this and a message's first bytes. */
const keyPrefix = 'm'
const afterKeys = 'n'

export function findEtcd(program: string): Found {
  const version = outputOf(program, ['--version'])
  if (version === undefined)
    return { absent: `etcd: there is no working program "${program}" (--etcd PATH names another)` }
  return {
    contender: {
      name: 'etcd',
      description: `${version.split('\n')[0]}, ${members} members, synced as it is by default, over its JSON gateway`,
      start: () => startCluster(program),
    },
  }
}

export function etcdArguments(member: {
  readonly name: string
  readonly clientPort: number
  readonly peerPort: number
  /** `name=address` of all members. */
  readonly cluster: readonly string[]
  readonly folder: string
}): string[] {
  const client = `http://${host}:${member.clientPort}`
  const peer = `http://${host}:${member.peerPort}`
  return [
    ['--name', member.name],
    ['--data-dir', member.folder],
    ['--listen-client-urls', client],
    ['--advertise-client-urls', client],
    ['--listen-peer-urls', peer],
    ['--initial-advertise-peer-urls', peer],
    ['--initial-cluster', member.cluster.join(',')],
    ['--initial-cluster-state', 'new'],
    // Room for the groups of the load generator and for a long run; its own are 128, 1.5 MB and 2 GB.
    ['--max-txn-ops', '10000'],
    ['--max-request-bytes', '16777216'],
    ['--quota-backend-bytes', '8589934592'],
    ['--logger', 'zap'],
    ['--log-level', 'error'],
  ].flat()
}

/** The request that writes these messages: path and body. */
export function writeOf(messages: readonly Uint8Array[]): { path: string; body: string } {
  const puts = messages.map((message) => {
    const key = Buffer.concat([Buffer.from(keyPrefix), message.subarray(0, headBytes)]).toString('base64')
    return `{"key":"${key}","value":"${Buffer.from(message).toString('base64')}"}`
  })
  const [first] = puts
  if (puts.length === 1 && first !== undefined) return { path: '/v3/kv/put', body: first }
  const operations = puts.map((put) => `{"requestPut":${put}}`)
  return { path: '/v3/kv/txn', body: `{"success":[${operations.join(',')}]}` }
}

interface WatchReply {
  readonly error?: { readonly message: string }
  readonly result?: {
    readonly canceled?: boolean
    readonly events?: readonly { readonly kv: { readonly value?: string } }[]
  }
}

/** What a line of a watch says is written. @throws Error where the watch is over. */
export function finalOf(line: string): FinalMessages | undefined {
  const { error, result } = JSON.parse(line) as WatchReply
  if (error !== undefined || result?.canceled === true)
    throw new Error(`the watch was cancelled: ${error?.message ?? ''}`)
  if (result?.events === undefined) return undefined
  const values = result.events.map(({ kv }) => kv.value ?? '')
  return {
    heads: values.map((value) => Buffer.from(value.slice(0, 12), 'base64')),
    dataBytes: values.reduce((sum, value) => sum + Buffer.byteLength(value, 'base64'), 0),
  }
}

async function startCluster(program: string) {
  const processes = new PeerProcesses('etcd')
  try {
    const basePort = await freePorts(2 * members)
    const all = Array.from({ length: members }, (_, index) => ({
      name: `member${index}`,
      clientPort: basePort + index,
      peerPort: basePort + members + index,
    }))
    const cluster = all.map(({ name, peerPort }) => `${name}=http://${host}:${peerPort}`)
    for (const member of all) {
      const folder = processes.folderOf(member.name)
      processes.start(member.name, program, etcdArguments({ ...member, cluster, folder }))
    }
    const nodes = all.map(({ clientPort }) => `http://${host}:${clientPort}`)
    await processes.untilReady(async () => (await Promise.all(nodes.map(isHealthy))).every(Boolean))
    const target = new EtcdTarget({ nodes, reader: nodes.at(-1) ?? '', processes: processes.measured })
    return { target, stop: () => processes.stop() }
  } catch (error) {
    await processes.stop()
    throw error
  }
}

async function isHealthy(node: string): Promise<boolean> {
  const { health } = (await jsonFrom(`${node}/health`)) as { health: string }
  return health === 'true'
}

export class EtcdTarget extends HttpTarget {
  readonly name = 'etcd'

  async submit(entrance: number, messages: readonly Uint8Array[]): Promise<SubmitResult> {
    const { path, body } = writeOf(messages)
    const reply = await this.pool(entrance).request(path, Buffer.from(body))
    if (reply.status === 200) return { kind: 'accepted' }
    const text = reply.body.toString('utf8', 0, 300)
    if (text.includes('too many requests')) return { kind: 'refused', retryAfterMs }
    throw new Error(`answered ${reply.status}: ${text}`)
  }

  /** Resolves once the member says that it watches. */
  follow(onFinal: (block: FinalMessages) => void, onLost: (error: Error) => void): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>()
    let isEnded = false
    const lost = (error: Error) => {
      if (isEnded) return
      isEnded = true
      reject(error)
      onLost(error)
    }
    const request = httpRequest(`${this.reader}/v3/watch`, { method: 'POST', agent: false }, (reply) => {
      const stop = () => {
        isEnded = true
        request.destroy()
        this.closePools()
      }
      reply.setEncoding('latin1')
      let parts: string[] = []
      reply.on('data', (chunk: string) => {
        parts.push(chunk)
        if (!chunk.includes('\n')) return
        const lines = parts.join('').split('\n')
        parts = [lines.pop() ?? '']
        try {
          for (const line of lines) {
            const block = finalOf(line)
            if (block !== undefined) onFinal(block)
          }
          resolve(stop)
        } catch (error) {
          request.destroy()
          lost(error as Error)
        }
      })
      reply.on('error', lost)
      reply.on('close', () => lost(new Error('the watch ended')))
    })
    request.on('error', lost)
    const keys = { key: base64Of(keyPrefix), range_end: base64Of(afterKeys) }
    request.end(JSON.stringify({ create_request: keys }))
    return promise
  }
}

function base64Of(text: string): string {
  return Buffer.from(text).toString('base64')
}
