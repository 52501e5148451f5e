// Final blocks that decode and are none: signed by the liar alone, or with content that the commitments do not allow.
import {
  commitmentEntriesMax,
  decodeFinalBlock,
  encodeFinalBlock,
  encodeVoteBody,
  type FinalBlock,
  type FrameContext,
} from '../../codec/index.ts'
import { sha256 } from '../../crypto/native/index.ts'
import type { LiarTools } from '../behaviour.ts'

export function forgedFinals(tools: LiarTools, blocks: readonly Uint8Array[]): Uint8Array[] {
  const { genesis } = tools
  const context: FrameContext = {
    limits: genesis.limits,
    entriesMax: commitmentEntriesMax(genesis.limits, genesis.validators.length),
    sha256,
  }
  return blocks.map((bytes) => {
    const decoded = decodeFinalBlock(bytes, context)
    return decoded.ok ? encodeFinalBlock(forged(tools, decoded.value)) : bytes
  })
}

function forged({ random, self, sign }: LiarTools, final: FinalBlock): FinalBlock {
  const { finalization, batches, block } = final
  const { height, view } = finalization
  const signature = sign('finalize', encodeVoteBody({ kind: 'finalize', height, view, blockId: block.id }))
  switch (random.between(0, 3)) {
    case 0:
      // A finalization of its own vote alone.
      return { ...final, finalization: { ...finalization, signatures: [{ validator: self, signature }] } }
    case 1:
      return { ...final, batches: batches.slice(1) }
    case 2:
      return { ...final, batches: batches.toReversed() }
    default: {
      // Every other signer's name under its own signature.
      const signatures = finalization.signatures.map(({ validator }) => ({ validator, signature }))
      return { ...final, finalization: { ...finalization, signatures } }
    }
  }
}
