// CometBFT's JSON-RPC: transactions in arrays of `broadcast_tx_sync`, blocks by the subscription of one node.
import { type FinalMessages, headBytes, type SubmitResult } from '../../src/bench/index.ts'
import { HttpTarget } from './http-target.ts'
import { jsonFrom } from './peer-processes.ts'

/** A full mempool says nothing of when to come again; its blocks take about as long. */
const retryAfterMs = 50
const keyDigits = 2 * headBytes
/** Base64 digits that hold the key. */
const keyBase64Digits = 24

/** The application takes `key=value`, each once, without another `=` or a `:`; key is the message's head, in hex. */
export function txOf(message: Uint8Array): Buffer {
  const tx = Buffer.from(message)
  for (let at = 0; at < tx.length; at++) {
    if (tx[at] === 0x3a || tx[at] === 0x3d) tx[at] = 0x2e
  }
  const head = `${Buffer.from(message.subarray(0, headBytes)).toString('hex')}=`
  if (tx.length <= head.length) return Buffer.from(`${head}.`, 'latin1')
  tx.write(head, 0, 'latin1')
  return tx
}

/** Of transactions as blocks have them, in Base64. */
export function finalOf(txs: readonly string[]): FinalMessages {
  return {
    heads: txs.map((tx) => {
      const key = Buffer.from(tx.slice(0, keyBase64Digits), 'base64').toString('latin1', 0, keyDigits)
      return Buffer.from(key, 'hex')
    }),
    dataBytes: txs.reduce((sum, tx) => sum + Buffer.byteLength(tx, 'base64'), 0),
  }
}

interface Reply {
  readonly id: number
  readonly result?: { readonly code: number; readonly log: string }
  readonly error?: { readonly message: string; readonly data?: string }
}

/** What the calls of one request came to. @throws Error where one failed for another reason than a full mempool. */
export function submitResultOf(replies: readonly Reply[]): SubmitResult {
  const refused = new Set<number>()
  for (const { id, result, error } of replies) {
    if (result?.code === 0) continue
    const reason = result?.log ?? `${error?.message} ${error?.data}`
    if (!reason.includes('mempool is full')) throw new Error(reason)
    refused.add(id)
  }
  if (refused.size === 0) return { kind: 'accepted' }
  return refused.size === replies.length
    ? { kind: 'refused', retryAfterMs }
    : { kind: 'partly', refused, retryAfterMs }
}

interface BlockEvent {
  readonly error?: { readonly message: string }
  readonly result?: { readonly data?: { readonly value: { readonly block: Block } } }
}

interface Block {
  readonly header: { readonly height: string }
  readonly data: { readonly txs: readonly string[] | null }
}

export class CometbftTarget extends HttpTarget {
  readonly name = 'cometbft'

  async submit(entrance: number, messages: readonly Uint8Array[]): Promise<SubmitResult> {
    const calls = messages.map(
      (message, id) =>
        `{"jsonrpc":"2.0","id":${id},"method":"broadcast_tx_sync","params":{"tx":"${txOf(message).toString('base64')}"}}`,
    )
    const text = calls.length === 1 ? calls.join('') : `[${calls.join(',')}]`
    const reply = await this.pool(entrance).request('/', Buffer.from(text))
    // A single call that fails is answered with status 500, and says why like the others.
    const body = JSON.parse(reply.body.toString()) as Reply | readonly Reply[]
    const replies = Array.isArray(body) ? body : [body]
    if (replies.length !== messages.length)
      throw new Error(`${replies.length} answers to ${messages.length} calls`)
    return submitResultOf(replies)
  }

  follow(onFinal: (block: FinalMessages) => void, onLost: (error: Error) => void): Promise<() => void> {
    const socket = new WebSocket(`${this.reader.replace('http', 'ws')}/websocket`)
    const blocks = new BlockLine(this.reader, onFinal)
    let isEnded = false
    return new Promise((resolve, reject) => {
      const lost = (reason: string) => {
        if (isEnded) return
        isEnded = true
        const error = new Error(reason)
        reject(error)
        onLost(error)
      }
      socket.addEventListener('open', () => {
        const params = { query: "tm.event='NewBlock'" }
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'subscribe', params }))
      })
      socket.addEventListener('error', () => lost('the subscription failed'))
      socket.addEventListener('close', () => lost('the subscription ended'))
      socket.addEventListener('message', ({ data }) => {
        const event = JSON.parse(String(data)) as BlockEvent
        if (event.error !== undefined) lost(event.error.message)
        const block = event.result?.data?.value.block
        if (block !== undefined) {
          blocks.take(block).catch((error: unknown) => lost(String(error)))
          return
        }
        resolve(() => {
          isEnded = true
          socket.close()
          this.closePools()
        })
      })
    })
  }
}

/** Blocks one after another: the node drops events of a subscriber that is slow, and what it dropped is fetched. */
class BlockLine {
  readonly #node: string
  readonly #onFinal: (block: FinalMessages) => void
  #next: number | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(node: string, onFinal: (block: FinalMessages) => void) {
    this.#node = node
    this.#onFinal = onFinal
  }

  take(block: Block): Promise<void> {
    const height = Number(block.header.height)
    const first = this.#next ?? height
    this.#next = height + 1
    if (first === height) {
      // Nothing to wait for: counted in this turn.
      this.#onFinal(finalOf(block.data.txs ?? []))
      return this.#last
    }
    this.#last = this.#last.then(async () => {
      for (let missed = first; missed < height; missed++) {
        const reply = (await jsonFrom(`${this.#node}/block?height=${missed}`)) as { result: { block: Block } }
        this.#onFinal(finalOf(reply.result.block.data.txs ?? []))
      }
      this.#onFinal(finalOf(block.data.txs ?? []))
    })
    return this.#last
  }
}
