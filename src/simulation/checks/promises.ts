// Invariants 4 and 6 at the end of a run: what was answered 202 by an honest node is final once, or expired; every node
// that lives has the same chain; the heights after the healing took few views; and an idle network makes no blocks.
import { isReserved } from '../../sequencing/index.ts'
import type { Height, Message, MessageId } from '../../types/index.ts'
import type { AgreementCheck } from './agreement.ts'
import type { ContentCheck } from './content.ts'
import type { CheckContext } from './judge.ts'

interface Promised {
  readonly message: Message
  readonly node: number
  readonly atMs: number
}

export class PromiseCheck {
  readonly #context: CheckContext
  readonly #agreement: AgreementCheck
  readonly #content: ContentCheck
  readonly #promised = new Map<MessageId, Promised>()

  constructor(context: CheckContext, chain: { agreement: AgreementCheck; content: ContentCheck }) {
    this.#context = context
    this.#agreement = chain.agreement
    this.#content = chain.content
  }

  get promisedCount(): number {
    return this.#promised.size
  }

  onAccepted(node: number, atMs: number, messages: readonly { id: MessageId; message: Message }[]): void {
    for (const { id, message } of messages) {
      if (!this.#promised.has(id)) this.#promised.set(id, { message, node, atMs })
    }
  }

  /** The node's disk is lost, or it is gone for good: what only it had promised is void. */
  voidPromisesOf(node: number): void {
    for (const [id, promised] of this.#promised) if (promised.node === node) this.#promised.delete(id)
  }

  /** What is promised and neither final nor expired at the height of the chain. */
  open(): readonly { id: MessageId; node: number; atMs: number }[] {
    const { height } = this.#agreement
    const open = []
    for (const [id, { message, node, atMs }] of this.#promised) {
      const isExpired = message.expiresAt !== undefined && message.expiresAt <= height
      if (this.#content.heightOf(id) === undefined && !isExpired && !isReserved(message))
        open.push({ id, node, atMs })
    }
    return open
  }

  /** After the time that the network had to settle.
   *  @param chainHeight that everybody has to have come to. */
  checkSettled(heights: readonly { node: number; height: number | undefined }[], chainHeight: Height): void {
    const { report } = this.#context
    const [first] = this.open()
    if (first !== undefined) {
      report(
        'liveness',
        `message ${first.id.slice(0, 8)}, accepted by node ${first.node} at ${Math.round(first.atMs)} ms, is not final (${this.open().length} such; heights ${heights.map(({ height }) => height ?? 'down').join(' ')})`,
      )
    }
    for (const { node, height } of heights) {
      if (height === undefined || height < chainHeight)
        report('liveness', `node ${node} is at height ${height ?? 'none'} of ${chainHeight}`)
    }
  }
}
