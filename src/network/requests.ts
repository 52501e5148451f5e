// Request and response (protocol §4): one stream for each, a record with the request, records with the reply. What
// the protocols are and who answers is protocols.ts; here are streams, limits and time-outs.
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { PeerId } from '../types/index.ts'
import type { Counters } from './counters.ts'
import { messageOf, NetworkError } from './errors.ts'
import type { Libp2pNode } from './libp2p.ts'
import type { PeerConduct } from './peer-conduct.ts'
import type { NetworkLogger } from './ports.ts'
import { isRecordTooLong, readRecords, StreamTimeout, sendRecord, untilSent } from './streams.ts'

export interface RequestProtocol {
  /** `status`, `view`, …: part of the protocol id and of counters. */
  readonly name: string
  readonly requestMaxBytes: number
  /** Of one record of the reply. */
  readonly recordMaxBytes: number
  /** For the request to come, and for each record of the reply. */
  readonly timeoutMs: number
  /** Requests of one peer that are answered at once. */
  readonly inboundPerPeer: number
  /** The same for all peers together. */
  readonly inboundMax: number
}

export type Answer = (
  request: Uint8Array,
  from: PeerId,
) => AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined

export interface RequestsOptions {
  readonly chainId: string
  readonly node: Libp2pNode
  readonly conduct: PeerConduct
  readonly counters: Counters
  readonly log: NetworkLogger
}

export class Requests {
  readonly #options: RequestsOptions
  /** Requests being answered, by protocol and peer, and by protocol. */
  readonly #active = new Map<string, number>()

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** Answers requests of a protocol. `answer` returns undefined for what is no request; the asker is blamed. */
  async serve(protocol: RequestProtocol, answer: Answer): Promise<void> {
    const limits = { maxInboundStreams: protocol.inboundPerPeer, maxOutboundStreams: 64 }
    await this.#options.node.handle(
      this.#idOf(protocol),
      (stream, connection) => this.#onRequest({ protocol, answer, stream, connection }),
      limits,
    )
  }

  /** Asks a connected peer; the records of its reply, as they come. Leaving the loop early ends the stream.
   *  @throws NetworkError */
  async *ask(protocol: RequestProtocol, peer: PeerId, request: Uint8Array): AsyncGenerator<Uint8Array> {
    const { requestMaxBytes, recordMaxBytes, timeoutMs, name } = protocol
    if (request.length > requestMaxBytes)
      throw new NetworkError({ code: 'too-large', sizeBytes: request.length, maxBytes: requestMaxBytes })
    this.#options.counters.add(`requests_out_${name}`)
    let stream: Stream | undefined
    let isDone = false
    try {
      stream = await this.#open(protocol, peer)
      sendRecord(stream, request)
      await untilSent(stream, timeoutMs)
      yield* readRecords(stream, { maxBytes: recordMaxBytes, timeoutMs })
      await stream.close({ signal: AbortSignal.timeout(timeoutMs) })
      isDone = true
    } catch (error) {
      this.#options.counters.add(`requests_failed_${name}`)
      throw this.#failureOf(error, protocol, peer)
    } finally {
      if (!isDone) stream?.abort(new Error('request ended'))
    }
  }

  async #open(protocol: RequestProtocol, peer: PeerId): Promise<Stream> {
    const connections = this.#options.node.getConnections(peerIdFromString(peer))
    const connection = connections.find(({ status }) => status === 'open')
    if (connection === undefined) throw new NetworkError({ code: 'not-connected', peer })
    const signal = AbortSignal.timeout(protocol.timeoutMs)
    // Saves a round trip where the library can: the request goes out with the name of its protocol.
    return connection.newStream(this.#idOf(protocol), { signal, negotiateFully: false })
  }

  #failureOf(error: unknown, protocol: RequestProtocol, peer: PeerId): NetworkError {
    const { timeoutMs } = protocol
    if (error instanceof NetworkError) return error
    if (isRecordTooLong(error)) return this.badReply(protocol, peer, 'over the limit', 2)
    const isTimeout =
      error instanceof StreamTimeout || (error instanceof Error && error.name === 'TimeoutError')
    return new NetworkError(
      isTimeout ? { code: 'timeout', peer, timeoutMs } : { code: 'broken', peer },
      error,
    )
  }

  async #onRequest({
    protocol,
    answer,
    stream,
    connection,
  }: {
    readonly protocol: RequestProtocol
    readonly answer: Answer
    readonly stream: Stream
    readonly connection: Connection
  }): Promise<void> {
    const { conduct, counters, log } = this.#options
    const { name } = protocol
    const from = connection.remotePeer.toString() as PeerId
    const release =
      conduct.isBanned(from) || !conduct.allowRequest(from) ? undefined : this.#enter(protocol, from)
    if (release === undefined) {
      counters.add(`requests_refused_${name}`)
      stream.abort(new Error('busy'))
      return
    }
    counters.add(`requests_in_${name}`)
    try {
      await this.#reply({ protocol, answer, stream, from })
    } catch (error) {
      counters.add(`requests_unanswered_${name}`)
      if (isRecordTooLong(error)) this.#blame(protocol, from, { reason: 'over the limit', points: 2 })
      log.debug({ peer: from, protocol: name, error: messageOf(error) }, 'request not answered')
      stream.abort(new Error('request not answered'))
    } finally {
      release()
    }
  }

  async #reply({
    protocol,
    answer,
    stream,
    from,
  }: {
    readonly protocol: RequestProtocol
    readonly answer: Answer
    readonly stream: Stream
    readonly from: PeerId
  }): Promise<void> {
    const { requestMaxBytes, timeoutMs } = protocol
    const request = await firstRecord(stream, { maxBytes: requestMaxBytes, timeoutMs })
    if (request === undefined) throw new Error('closed without a request')
    const replies = answer(request, from)
    if (replies === undefined) {
      this.#blame(protocol, from, { reason: 'malformed', points: 1 })
      throw new Error('not a request')
    }
    for await (const record of replies) {
      sendRecord(stream, record)
      this.#options.counters.add('reply_bytes_out', record.length)
      // The next record is made only when this one is on its way: an asker that does not read costs one record.
      await untilSent(stream, timeoutMs)
    }
    await stream.close({ signal: AbortSignal.timeout(timeoutMs) })
  }

  /** Counts a request that no honest peer sends. */
  #blame(
    { name }: RequestProtocol,
    from: PeerId,
    { reason, points }: { readonly reason: string; readonly points: number },
  ): void {
    this.#options.counters.add(`requests_invalid_${name}`)
    this.#options.conduct.punish(from, `a request for ${name}: ${reason}`, points)
  }

  /** Counts a reply that no honest peer gives. Its error is for the caller. */
  badReply({ name }: RequestProtocol, peer: PeerId, reason: string, points = 1): NetworkError {
    this.#options.counters.add(`replies_invalid_${name}`)
    this.#options.conduct.punish(peer, `a reply to ${name}: ${reason}`, points)
    return new NetworkError({ code: 'bad-reply', peer, reason })
  }

  /** Takes a place; undefined where all are taken. */
  #enter(protocol: RequestProtocol, from: PeerId): (() => void) | undefined {
    const { name, inboundPerPeer, inboundMax } = protocol
    const perPeer = `${name}/${from}`
    const ofPeer = this.#active.get(perPeer) ?? 0
    const ofAll = this.#active.get(name) ?? 0
    if (ofPeer >= inboundPerPeer || ofAll >= inboundMax) return undefined
    this.#active.set(perPeer, ofPeer + 1)
    this.#active.set(name, ofAll + 1)
    return () => {
      this.#leave(perPeer)
      this.#leave(name)
    }
  }

  #leave(key: string): void {
    const left = (this.#active.get(key) ?? 1) - 1
    if (left === 0) this.#active.delete(key)
    else this.#active.set(key, left)
  }

  #idOf({ name }: RequestProtocol): string {
    return `/diseq/${this.#options.chainId}/${name}/1`
  }
}

async function firstRecord(
  stream: Stream,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<Uint8Array | undefined> {
  for await (const record of readRecords(stream, limits)) return record
  return undefined
}
