// What of the ordered batches a block takes: batches up to the limits, and of their messages those that are new,
// not expired and valid (protocol §3.3, §3.7). A function of the order and the chain before the block.
import { batchOverheadBytes, minMessageBytes } from '../codec/index.ts'
import type {
  Batch,
  BatchId,
  BlockContent,
  Height,
  Message,
  MessageId,
  ProtocolLimits,
  SequencedMessage,
  ValidatorIndex,
} from '../types/index.ts'
import type { OrderedBatch } from './order.ts'
import { evidenceNamespace, evidenceOfMessage, isReserved } from './reserved.ts'

/** A message that its block does not take: its batch's place in the block, and its place in the batch. */
export interface SkippedMessage {
  readonly batch: number
  readonly message: number
}

export interface SelectedContent extends BlockContent {
  readonly skipped: readonly SkippedMessage[]
}

export type Selection =
  | { readonly kind: 'content'; readonly content: SelectedContent }
  /** Batches that are not in hand and may be in the block; ask again when they are. */
  | { readonly kind: 'missing'; readonly batchIds: readonly BatchId[] }

/** What the chain before the block says; none of it may depend on the block itself. */
export interface ChainView {
  readonly isInChain: (batchId: BatchId) => boolean
  readonly isMessageInChain: (messageId: MessageId) => boolean
  /** Of a message in a reserved namespace, by genesis and the chain before the block (`checkReservedMessage`). What
   *  the same block holds already is seen to here. */
  readonly isReservedValid: (message: Message, id: MessageId) => boolean
}

/** No batch is smaller: one message without data. */
const minBatchBytes = batchOverheadBytes + minMessageBytes

/** The content of block `height`, or which batches are needed to know it.
 *  @param ordered as `orderBatches` gives it.
 *  @param batchOf the batch if it is in hand, and valid. */
export function selectContent({
  ordered,
  batchOf,
  height,
  limits,
  ...chain
}: ChainView & {
  readonly ordered: readonly OrderedBatch[]
  readonly batchOf: (batchId: BatchId) => Batch | undefined
  readonly height: Height
  readonly limits: Pick<ProtocolLimits, 'maxBlockBatches' | 'maxBlockBytes'>
}): Selection {
  const { batches, missing } = takeBatches({ ordered, batchOf, limits, isInChain: chain.isInChain })
  if (missing.length > 0) return { kind: 'missing', batchIds: missing }
  const batchIds = batches.map((batch) => batch.id)
  return { kind: 'content', content: { batchIds, batches, ...takeMessages(batches, height, chain) } }
}

/** Takes batches up to the first that would exceed a limit. One that is not in hand counts with the least size it
 *  can have, so what is asked for never reaches past a limit that is exceeded whatever its size. */
function takeBatches({
  ordered,
  batchOf,
  isInChain,
  limits,
}: {
  readonly ordered: readonly OrderedBatch[]
  readonly batchOf: (batchId: BatchId) => Batch | undefined
  readonly isInChain: (batchId: BatchId) => boolean
  readonly limits: Pick<ProtocolLimits, 'maxBlockBatches' | 'maxBlockBytes'>
}): { batches: Batch[]; missing: BatchId[] } {
  const batches: Batch[] = []
  const missing: BatchId[] = []
  let sizeBytes = 0
  for (const { batchId } of ordered) {
    if (isInChain(batchId)) continue
    if (batches.length + missing.length === limits.maxBlockBatches) break
    const batch = batchOf(batchId)
    sizeBytes += batch?.bytes.length ?? minBatchBytes
    if (sizeBytes > limits.maxBlockBytes) break
    if (batch === undefined) missing.push(batchId)
    else batches.push(batch)
  }
  return { batches, missing }
}

function takeMessages(
  batches: readonly Batch[],
  height: Height,
  chain: ChainView,
): { messages: SequencedMessage[]; skipped: SkippedMessage[] } {
  const messages: SequencedMessage[] = []
  const skipped: SkippedMessage[] = []
  const taken = new Set<MessageId>()
  const accused = new Set<ValidatorIndex>()
  for (const [batchAt, batch] of batches.entries()) {
    // By place: `entries` would make an object for each of thousands.
    for (let messageAt = 0; messageAt < batch.messages.length; messageAt += 1) {
      const message = batch.messages[messageAt]
      const id = batch.messageIds[messageAt]
      if (message === undefined || id === undefined)
        throw new Error(`batch ${batch.id} has fewer ids than messages`)
      const isNew = !taken.has(id) && !chain.isMessageInChain(id)
      if (isNew && !isExpired(message, height) && isAllowed(message, id, { chain, accused })) {
        taken.add(id)
        messages.push({ id, message })
      } else {
        skipped.push({ batch: batchAt, message: messageAt })
      }
    }
  }
  return { messages, skipped }
}

/** Whether block `height` may no longer include the message. */
export function isExpired(message: Message, height: Height): boolean {
  return message.expiresAt !== undefined && message.expiresAt < height
}

/** A message in a reserved namespace must be valid; of the block's evidence against one validator only the first is. */
function isAllowed(
  message: Message,
  id: MessageId,
  { chain, accused }: { readonly chain: ChainView; readonly accused: Set<ValidatorIndex> },
): boolean {
  if (!isReserved(message)) return true
  if (!chain.isReservedValid(message, id)) return false
  if (message.namespace !== evidenceNamespace) return true
  const evidence = evidenceOfMessage(message)
  if (!evidence.ok || accused.has(evidence.value.validator)) return false
  accused.add(evidence.value.validator)
  return true
}
