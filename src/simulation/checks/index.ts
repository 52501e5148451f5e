// All checks of a run behind one door, and the figures of what they saw.
import { sha256Hex } from '../../crypto/native/index.ts'
import type { Replica } from '../../node/replica.ts'
import type { BlockId, Height, Message, MessageId } from '../../types/index.ts'
import { AgreementCheck } from './agreement.ts'
import { BoundsCheck } from './bounds.ts'
import { ContentCheck } from './content.ts'
import type { CheckContext, FinalEvent, Frame } from './judge.ts'
import { JustificationCheck } from './justification.ts'
import { PromiseCheck } from './promises.ts'
import { SignatureCheck } from './signatures.ts'
import { ViewsCheck } from './views.ts'

/** When something happened, and under what circumstances. */
export interface Moment {
  readonly atMs: number
  readonly hasFaults: boolean
  readonly isHealed: boolean
  readonly hasLiars: boolean
}

/** Checks that a short run may give no occasion for. */
const mayBeIdle: ReadonlySet<string> = new Set(['inclusion', 'justification'])

export class Checks {
  readonly agreement: AgreementCheck
  readonly promises: PromiseCheck
  readonly #signatures: SignatureCheck
  readonly #content: ContentCheck
  readonly #justification: JustificationCheck
  readonly #bounds: BoundsCheck
  readonly #views: ViewsCheck
  #heightsWithMessages = 0
  #heightsUnderFaults = 0
  #messages = 0

  constructor(context: CheckContext) {
    this.agreement = new AgreementCheck(context)
    this.#signatures = new SignatureCheck(context)
    this.#content = new ContentCheck(context)
    this.#justification = new JustificationCheck(context)
    this.#bounds = new BoundsCheck(context)
    this.#views = new ViewsCheck(context)
    this.promises = new PromiseCheck(context, { agreement: this.agreement, content: this.#content })
  }

  /** A verified frame arrived somewhere. */
  onFrame(frame: Frame): void {
    this.#signatures.onFrame(frame)
    this.#justification.onFrame(frame)
  }

  /** An honest node sent a frame to all. */
  onSent(frame: Frame): void {
    this.#signatures.onFrame(frame)
    this.#justification.onFrame(frame)
    this.#justification.onSent(frame)
    if (frame.kind === 'pool-commitment') this.#content.onCommitmentSent(frame.commitment)
  }

  onFinal(node: number, event: FinalEvent, moment: Moment): void {
    if (!this.agreement.onFinal(node, event, moment.atMs)) return
    this.#content.onBlock(event)
    this.#justification.onBlock(event.height, moment)
    this.#views.onBlock(event, moment)
    this.#signatures.forgetBelow(event.height - 50)
    if (event.messageIds.length === 0) return
    this.#heightsWithMessages += 1
    this.#messages += event.messageIds.length
    if (moment.hasFaults) this.#heightsUnderFaults += 1
  }

  onStarted(node: number, details: { height: Height; blockId: BlockId; wasPutBack: boolean }): void {
    this.agreement.onStarted(node, details)
  }

  onAccepted(node: number, atMs: number, messages: readonly { id: MessageId; message: Message }[]): void {
    this.promises.onAccepted(node, atMs, messages)
  }

  onDiskLost(node: number): void {
    this.promises.voidPromisesOf(node)
  }

  onLook(node: number, replica: Replica, limits: { poolMaxBatches: number; poolMaxBytes: number }): void {
    this.#bounds.onLook(node, replica, limits)
  }

  onSettled(heights: readonly { node: number; height: number | undefined }[], chainHeight: Height): void {
    this.promises.checkSettled(heights, chainHeight)
  }

  /** A run in which nothing was checked has shown nothing. */
  onEnd(reportVacuous: (text: string) => void): void {
    const { checks, heightsWithMessages } = this.summary()
    if (heightsWithMessages === 0) reportVacuous('no block with messages became final')
    for (const [name, count] of Object.entries(checks)) {
      if (count === 0 && !mayBeIdle.has(name)) reportVacuous(`nothing was checked of ${name}`)
    }
  }

  summary() {
    const { blocks, inclusions } = this.#content.counts
    const chain = this.agreement.blocks.map(({ block }) => block.id).join()
    return {
      heights: this.agreement.height,
      heightsWithMessages: this.#heightsWithMessages,
      heightsUnderFaults: this.#heightsUnderFaults,
      messages: this.#messages,
      checks: {
        agreement: this.agreement.checkedCount,
        signatures: this.#signatures.checkedCount,
        content: blocks,
        inclusion: inclusions,
        justification: this.#justification.checkedCount,
        promises: this.promises.promisedCount,
        bounds: this.#bounds.checkedCount,
      },
      digest: sha256Hex(Buffer.from(chain)).slice(0, 16),
    }
  }
}
