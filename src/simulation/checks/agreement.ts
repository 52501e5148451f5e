// Invariant 1 and part of 3: one chain. Every honest node's final blocks are those of the others, follow one another
// without a gap, and carry a finalization that a quorum signed. Keeps the chain that the other checks go by.
import { encodeVoteBody } from '../../codec/index.ts'
import { signingInput } from '../../crypto/native/index.ts'
import type { BatchId, Block, BlockId, Finalization, Height, MessageId } from '../../types/index.ts'
import { type CheckContext, type FinalEvent, thresholdsOfModel } from './judge.ts'

export interface ChainBlock {
  readonly block: Block
  readonly finalization: Finalization
  readonly messageIds: readonly MessageId[]
  readonly batchIds: readonly BatchId[]
  /** When the first honest node called it final, in ms of the run. */
  readonly atMs: number
}

export class AgreementCheck {
  readonly blocks: ChainBlock[] = []
  readonly #context: CheckContext
  readonly #tips = new Map<number, Height>()
  #checkedCount = 0

  constructor(context: CheckContext) {
    this.#context = context
  }

  get checkedCount(): number {
    return this.#checkedCount
  }

  get height(): Height {
    return this.blocks.length
  }

  blockAt(height: Height): ChainBlock | undefined {
    return this.blocks[height - 1]
  }

  /** A node started: its tip may be lower than before only if its disk was put back. */
  onStarted(node: number, details: { height: Height; blockId: BlockId; wasPutBack: boolean }): void {
    const { height, blockId, wasPutBack } = details
    const before = this.#tips.get(node) ?? 0
    if (height < before && !wasPutBack)
      this.#context.report(
        'durability',
        `node ${node} had ${before} final blocks and has ${height} after its restart`,
      )
    const known = this.blockAt(height)
    if (known !== undefined && known.block.id !== blockId)
      this.#context.report('agreement', `node ${node} starts with another block at height ${height}`)
    this.#tips.set(node, height)
  }

  /** True where the block is new to all. */
  onFinal(node: number, event: FinalEvent, atMs: number): boolean {
    const { report } = this.#context
    const { height, final, messageIds } = event
    this.#checkedCount += 1
    const tip = this.#tips.get(node) ?? 0
    if (height > this.blocks.length + 1) {
      report(
        'agreement',
        `node ${node} finalises height ${height} where only ${this.blocks.length} blocks are known`,
      )
      return false
    }
    if (height !== tip + 1) report('agreement', `node ${node} finalises height ${height} after ${tip}`)
    this.#tips.set(node, height)
    this.#checkCertificate(node, final.finalization, final.block.id)
    const batchIds = final.batches.map(({ id }) => id)
    const known = this.blockAt(height)
    if (known === undefined) {
      const previous = this.blockAt(height - 1)?.block.id ?? this.#context.genesis.hash
      if (final.block.header.previousBlockId !== previous)
        report('agreement', `block ${height} of node ${node} builds on another block`)
      this.blocks.push({ block: final.block, finalization: final.finalization, messageIds, batchIds, atMs })
      return true
    }
    if (known.block.id !== final.block.id)
      report(
        'agreement',
        `node ${node} finalises ${final.block.id.slice(0, 8)} at height ${height}, others ${known.block.id.slice(0, 8)}`,
      )
    if (known.messageIds.join() !== messageIds.join())
      report('agreement', `node ${node} has other messages in block ${height}`)
    if (known.batchIds.join() !== batchIds.join())
      report('agreement', `node ${node} has other batches in block ${height}, or in another order`)
    return false
  }

  #checkCertificate(node: number, finalization: Finalization, blockId: BlockId): void {
    const { genesis, schemes, report } = this.#context
    const powers = genesis.validators.map(({ power }) => power)
    const { quorum } = thresholdsOfModel(powers, genesis.faultModel)
    const { height, view, signatures } = finalization
    const bytes = encodeVoteBody({ kind: 'finalize', height, view, blockId })
    const message = signingInput({ kind: 'finalize', genesisHash: genesis.hash, bytes })
    const signers = new Set<number>()
    for (const { validator, signature } of signatures) {
      const publicKey = genesis.validators[validator]?.votingKey
      if (publicKey !== undefined && schemes.verifySignature({ publicKey, message, signature }))
        signers.add(validator)
    }
    const power = [...signers].reduce((sum, validator) => sum + (powers[validator] ?? 0), 0)
    if (power < quorum || signers.size !== signatures.length)
      report('certificate', `node ${node} holds block ${height} final by power ${power} of ${quorum}`)
  }
}
