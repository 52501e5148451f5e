// What block sync needs from others.
import type { Batch, Block, Finalization, Height, PeerId } from '../types/index.ts'

/** A final block as a peer sent it. */
export interface ReceivedBlock {
  readonly block: Block
  readonly finalization: Finalization
  readonly batches: readonly Batch[]
}

export interface SyncPorts {
  /** Height of the last final block here. */
  tipHeight(): Height
  /** Blocks of a range in ascending order, fewer where the peer has or sends fewer. Bounded in time and size;
   *  rejects on failure. */
  downloadBlocks(peer: PeerId, range: { from: Height; count: number }): AsyncIterable<ReceivedBlock>
  /** Called for a block that waits, where many do: verifies of it ahead, beside other work, what can be. It is applied
   *  after that, however it ends. Absent: nothing is.
   *  @param previous the block before, where the same peer brought it just now. */
  verifyAhead?(received: ReceivedBlock, previous: Block | undefined): Promise<void>
  /** Verifies the finalization and everything else of a block, recomputes it and stores it. `stale`: that height
   *  was final here already. A reason where the block is not what the chain allows: nothing was stored. Rejects when
   *  this node is at fault (its disk), after telling whoever stops it; sync then ends. */
  applyBlock(received: ReceivedBlock): Promise<'applied' | 'stale' | { readonly refused: string }>
  /** Peers that can be asked now. */
  connectedPeers(): readonly PeerId[]
  /** The peer sent what cannot be right. */
  reportPeer(peer: PeerId, reason: string): void
  nowMs(): number
}
