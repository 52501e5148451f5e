// Floods at one node's ports: requests, connections and bytes as fast as they are taken, until told to stop.
import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { sha256 } from '../../src/crypto/native/index.ts'
import { gossipOptions, topicOf } from '../../src/network/gossip-options.ts'
import { createNode } from '../../src/network/libp2p.ts'
import { sendRecord } from '../../src/network/streams.ts'

export interface Flood {
  /** What became of it so far, by kind: replies by status, connections cut. */
  readonly counts: ReadonlyMap<string, number>
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>
}

const httpConnections = 32
const rawConnections = 32
/** Of a machine that is not ours, as far as a node that trusts its proxy knows. */
const floodAddress = '203.0.113.9'

class Counts {
  readonly counts = new Map<string, number>()
  isStopped = false

  note(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}

/** Requests of every size and sense over many connections, each sending the next one as soon as it is answered.
 *  @param url of a node that believes `X-Forwarded-For` of this machine. */
export function floodHttp(url: string): Flood {
  const flood = new Counts()
  const agent = new Agent({ keepAlive: true, maxSockets: httpConnections })
  const message = (size: number) => JSON.stringify({ data: randomBytes(size).toString('base64') })
  const bodies: readonly (readonly [method: string, path: string, body: string | undefined])[] = [
    ['POST', '/v1/messages', message(100)],
    ['POST', '/v1/messages', message(200_000)],
    ['POST', '/v1/messages', '['.repeat(10_000)],
    ['POST', '/schedule', '{"data":[1,2,3],"timestamp":0,"more":1}'],
    ['POST', '/merkle_proof', '[true]'],
    ['GET', '/v1/blocks?from=0&limit=100', undefined],
    ['GET', '/get/pool', undefined],
  ]
  const sender = async (index: number) => {
    for (let sent = index; !flood.isStopped; sent++) {
      const [method, path, body] = bodies[sent % bodies.length] ?? ['GET', '/', undefined]
      flood.note(await reply(url + path, { agent, method, body }))
    }
  }
  const senders = Array.from({ length: httpConnections }, (_, index) => sender(index))
  return {
    counts: flood.counts,
    stop: async () => {
      flood.isStopped = true
      await Promise.all(senders)
      agent.destroy()
    },
  }
}

function reply(
  url: string,
  { agent, method, body }: { agent: Agent; method: string; body: string | undefined },
): Promise<string> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': floodAddress }
    const sent = request(url, { agent, method, headers }, (answer) => {
      answer.resume()
      answer.on('close', () => resolve(String(answer.statusCode)))
    })
    sent.on('error', () => resolve('cut'))
    sent.end(body)
  })
}

/** At the libp2p port: sockets that send noise in place of a handshake, and strangers that send garbage on gossip and
 *  direct streams, come back when they are cut off, and do it again under another name. */
export function floodP2p(address: string, chainId: string): Flood {
  const flood = new Counts()
  const [, host = '', port = ''] = /^\/ip4\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
  const rawSender = async () => {
    while (!flood.isStopped) flood.note(await noise(host, Number(port)))
  }
  const stranger = async () => {
    while (!flood.isStopped) flood.note(await garbage(address, chainId, () => flood.isStopped))
  }
  const senders = [
    ...Array.from({ length: rawConnections }, rawSender),
    ...Array.from({ length: 2 }, stranger),
  ]
  return {
    counts: flood.counts,
    stop: async () => {
      flood.isStopped = true
      await Promise.all(senders)
    },
  }
}

function noise(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.on('connect', () => socket.write(randomBytes(16 * 1024)))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve('noise cut'))
  })
}

async function garbage(address: string, chainId: string, isStopped: () => boolean): Promise<string> {
  const stranger = await createNode({
    identitySeed: randomBytes(32),
    listen: [],
    announce: [],
    maxConnections: 10,
    pingIntervalMs: 10_000,
    gossip: gossipOptions({ chainId, sha256, pointsOf: () => 0 }),
    gater: {},
  })
  await stranger.start()
  try {
    const connection = await stranger.dial(multiaddr(address))
    const stream = await connection.newStream(`/diseq/${chainId}/direct/1`)
    const topic = topicOf(chainId, 'messages')
    stranger.services.pubsub.subscribe(topic)
    while (!isStopped() && stranger.getConnections().length > 0) {
      sendRecord(stream, randomBytes(2_000))
      await stranger.services.pubsub.publish(topic, randomBytes(2_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return stranger.getConnections().length === 0 ? 'stranger cut off' : 'stranger stopped'
  } catch {
    // Refused at the door, or cut off in the middle of a word.
    return 'stranger cut off'
  } finally {
    await stranger.stop()
  }
}
