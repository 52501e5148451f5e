// One keep-alive HTTP/1.1 connection, one request at a time. The generator shares the cores with what it measures:
// Node's own client costs it five times as much a request, and that would be in every figure.
import { connect, type Socket } from 'node:net'
import { type HttpReply, HttpReplyReader } from './http-reply.ts'

const replyTimeoutMs = 30_000

interface Waiting {
  readonly resolve: (reply: HttpReply) => void
  readonly reject: (error: Error) => void
}

export class HttpConnection {
  readonly #address: URL
  #socket: Socket | undefined
  #reader = new HttpReplyReader()
  #waiting: Waiting | undefined

  constructor(address: string) {
    this.#address = new URL(address)
  }

  /** Rejects where the connection fails or no reply comes; the next request opens a new one. */
  request(path: string, body: Buffer | undefined, contentType: string): Promise<HttpReply> {
    if (this.#waiting !== undefined) throw new Error('a request is under way on this connection')
    const { host } = this.#address
    const head =
      body === undefined
        ? `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`
        : `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${contentType}\r\ncontent-length: ${body.length}\r\n\r\n`
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      const socket = this.#open()
      // In one piece: two small writes are two system calls, and may be two packets.
      socket.write(body === undefined ? head : Buffer.concat([Buffer.from(head), body]))
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket
    const { hostname, port } = this.#address
    const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true })
    socket.setTimeout(replyTimeoutMs, () => {
      if (this.#waiting !== undefined) socket.destroy(new Error('no reply in time'))
    })
    socket.on('data', (chunk) => {
      try {
        this.#onData(chunk)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    socket.on('error', (error) => this.#fail(socket, error))
    socket.on('close', () => this.#fail(socket, new Error('the connection was closed')))
    this.#socket = socket
    this.#reader = new HttpReplyReader()
    return socket
  }

  #fail(socket: Socket, error: Error): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(error)
  }

  #onData(chunk: Buffer): void {
    const reply = this.#reader.take(chunk)
    if (reply === undefined) return
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(reply)
  }
}

/** Idle connections to one address; as many are open as requests are under way. */
export class HttpPool {
  readonly #address: string
  readonly #idle: HttpConnection[] = []
  readonly #all = new Set<HttpConnection>()

  constructor(address: string) {
    this.#address = address
  }

  async request(path: string, body?: Buffer, contentType = 'application/json'): Promise<HttpReply> {
    const connection = this.#idle.pop() ?? new HttpConnection(this.#address)
    this.#all.add(connection)
    try {
      return await connection.request(path, body, contentType)
    } finally {
      this.#idle.push(connection)
    }
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }
}
