// NATS JetStream: three servers, a stream of three replicas in files, a sync for each write.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type FinalMessages,
  headBytes,
  type MeasuredProcess,
  type SubmitResult,
  type Target,
} from '../../src/bench/index.ts'
import { freePorts } from '../../src/cli/bench-network.ts'
import type { Found } from './contender.ts'
import { NatsConnection } from './nats-connection.ts'
import { outputOf, PeerProcesses } from './peer-processes.ts'

const servers = 3
const host = '127.0.0.1'
const stream = 'BENCH'
const subject = 'bench'
/** The stream takes no more just now. */
const retryAfterMs = 50

export function findNats(program: string): Found {
  const version = outputOf(program, ['--version'])
  if (version === undefined)
    return { absent: `nats: there is no working program "${program}" (--nats PATH names another)` }
  if (!takesConfig(program))
    return { absent: `nats: ${version} does not know "sync_interval: always" (2.10 and later do)` }
  return {
    contender: {
      name: 'nats',
      description: `${version}, JetStream, ${servers} servers, stream of ${servers} replicas in files, sync_interval: always`,
      start: () => startCluster(program),
    },
  }
}

export function natsConfig(server: {
  readonly name: string
  readonly port: number
  readonly clusterPort: number
  /** Of all servers. */
  readonly clusterPorts: readonly number[]
  readonly folder: string
}): string {
  const routes = server.clusterPorts.map((port) => `nats://${host}:${port}`)
  return `server_name: ${server.name}
listen: ${host}:${server.port}
jetstream {
  store_dir: ${JSON.stringify(server.folder)}
  sync_interval: always
}
cluster {
  name: bench
  listen: ${host}:${server.clusterPort}
  routes: ${JSON.stringify(routes)}
}
`
}

/** Answers of a stream to messages: each has a place in it, or there is no more room for one. @throws Error for others. */
export function submitResultOf(answers: readonly Buffer[]): SubmitResult {
  const refused = new Set<number>()
  for (const [place, answer] of answers.entries()) {
    if (!answer.includes('"error"')) continue
    const { error } = JSON.parse(answer.toString()) as { error: { code: number; description: string } }
    if (error.code !== 503 && error.code !== 429) throw new Error(error.description)
    refused.add(place)
  }
  if (refused.size === 0) return { kind: 'accepted' }
  return refused.size === answers.length
    ? { kind: 'refused', retryAfterMs }
    : { kind: 'partly', refused, retryAfterMs }
}

function takesConfig(program: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'diseq-compare-'))
  try {
    const path = join(folder, 'server.conf')
    writeFileSync(path, natsConfig({ name: 'a', port: 1, clusterPort: 2, clusterPorts: [2], folder }))
    return outputOf(program, ['-t', '-c', path]) !== undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function startCluster(program: string) {
  const processes = new PeerProcesses('nats')
  try {
    const basePort = await freePorts(2 * servers)
    const ports = Array.from({ length: servers }, (_, index) => basePort + index)
    const clusterPorts = ports.map((port) => port + servers)
    for (const [index, port] of ports.entries()) {
      const name = `server${index}`
      const path = join(processes.folder, `${name}.conf`)
      const folder = processes.folderOf(name)
      writeFileSync(path, natsConfig({ name, port, clusterPort: port + servers, clusterPorts, folder }))
      processes.start(name, program, ['-c', path])
    }
    await processes.untilReady(() => makeStream(ports[0] ?? 0))
    const connections: NatsConnection[] = []
    for (const port of ports) connections.push(await NatsConnection.open({ host, port }, () => undefined))
    const target = new NatsTarget({
      connections,
      readerPort: ports.at(-1) ?? 0,
      processes: processes.measured,
    })
    return {
      target,
      stop: async () => {
        for (const connection of connections) connection.close()
        await processes.stop()
      },
    }
  } catch (error) {
    await processes.stop()
    throw error
  }
}

/** Asked until there is a leader who can. The same stream may be made twice. */
async function makeStream(port: number): Promise<boolean> {
  const connection = await NatsConnection.open({ host, port }, () => undefined)
  try {
    await connection.ask(`$JS.API.STREAM.CREATE.${stream}`, {
      name: stream,
      subjects: [subject],
      storage: 'file',
      retention: 'limits',
      num_replicas: servers,
    })
    return true
  } finally {
    connection.close()
  }
}

export class NatsTarget implements Target {
  readonly name = 'nats'
  readonly entranceCount: number
  readonly processes: readonly MeasuredProcess[]
  readonly #connections: readonly NatsConnection[]
  readonly #readerPort: number

  constructor(options: {
    readonly connections: readonly NatsConnection[]
    readonly readerPort: number
    readonly processes: readonly MeasuredProcess[]
  }) {
    this.#connections = options.connections
    this.#readerPort = options.readerPort
    this.entranceCount = options.connections.length
    this.processes = options.processes
  }

  async submit(entrance: number, messages: readonly Uint8Array[]): Promise<SubmitResult> {
    const connection = this.#connections[entrance]
    if (connection === undefined) throw new RangeError(`no entrance ${entrance}`)
    return submitResultOf(await connection.requestAll(subject, messages))
  }

  /** What comes in one read stands for a block: a consumer is given single messages. */
  async follow(onFinal: (block: FinalMessages) => void, onLost: (error: Error) => void): Promise<() => void> {
    const connection = await NatsConnection.open({ host, port: this.#readerPort }, onLost)
    const deliverTo = `deliver.${randomUUID()}`
    connection.subscribe(deliverTo, (messages) =>
      onFinal({
        heads: messages.map(({ payload }) => Buffer.from(payload.subarray(0, headBytes))),
        dataBytes: messages.reduce((sum, { payload }) => sum + payload.length, 0),
      }),
    )
    await connection.ask(`$JS.API.CONSUMER.CREATE.${stream}`, {
      stream_name: stream,
      config: {
        deliver_subject: deliverTo,
        deliver_policy: 'new',
        ack_policy: 'none',
        replay_policy: 'instant',
        mem_storage: true,
        num_replicas: 1,
      },
    })
    return () => connection.close()
  }
}
