// Real networks on loopback: nodes of one chain whose handlers write down what reached them.
import { encodeFinalBlock, encodeFrames, type FinalBlock, type PeerStatus } from '../../src/codec/index.ts'
import type { KnownPeer, NetworkLogger, VerifiedFrame } from '../../src/network/index.ts'
import { Network, type NetworkHandler, type NetworkOptions } from '../../src/network/index.ts'
import type { BlockId, Height, PeerId } from '../../src/types/index.ts'
import { aBlockId, type Chain } from '../unit/network/signed-frames.ts'

export { encodeFrames }

export class RecordingHandler implements NetworkHandler {
  readonly frames: { frame: VerifiedFrame; from: PeerId; at: number }[] = []
  readonly ahead: Height[] = []
  readonly statuses = new Map<PeerId, PeerStatus>()
  readonly pushed: VerifiedFrame[] = []
  readonly chain: Chain
  final = 0
  blocks: FinalBlock[] = []
  viewReply: readonly Uint8Array[] = []
  batchesReply: readonly Uint8Array[] = []
  blocksSent = 0
  saved: readonly KnownPeer[] = []
  readonly lines: string[] = []
  readonly log: NetworkLogger

  constructor(chain: Chain) {
    this.chain = chain
    const line = (level: string) => (data: object, message: string) =>
      this.lines.push(`${level} ${message} ${JSON.stringify(data)}`)
    this.log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }

  onFrame(frame: VerifiedFrame, from: PeerId): void {
    this.frames.push({ frame, from, at: performance.now() })
  }

  onAhead(height: Height): void {
    this.ahead.push(height)
  }

  heightWindow(): { final: Height } {
    return { final: this.final }
  }

  status(): PeerStatus {
    return {
      genesisHash: this.chain.genesis.hash,
      finalHeight: this.final,
      finalBlockId: aBlockId as BlockId,
      holding: { height: this.final + 1, view: 0, commitments: [], views: [] },
    }
  }

  async answerView(_: unknown, pushed: readonly VerifiedFrame[]): Promise<readonly Uint8Array[]> {
    this.pushed.push(...pushed)
    return this.viewReply
  }

  async answerBatches(_: unknown, pushed: readonly VerifiedFrame[]): Promise<readonly Uint8Array[]> {
    this.pushed.push(...pushed)
    return this.batchesReply
  }

  async *answerBlocks({ from, count }: { from: Height; count: number }): AsyncGenerator<Uint8Array> {
    for (const block of this.blocks.slice(from - 1, from - 1 + count)) {
      this.blocksSent += 1
      yield encodeFinalBlock(block)
    }
  }

  onPeerStatus(peer: PeerId, status: PeerStatus): void {
    this.statuses.set(peer, status)
  }

  async loadPeers(): Promise<readonly KnownPeer[]> {
    return this.saved
  }

  async savePeers(peers: readonly KnownPeer[]): Promise<void> {
    this.saved = peers
  }
}

export interface TestNode {
  readonly network: Network
  readonly handler: RecordingHandler
}

/** Made, not started. */
export function aNode(
  chain: Chain,
  index: number,
  options: Partial<Omit<NetworkOptions, 'genesis' | 'handler'>> & { handler?: RecordingHandler } = {},
): TestNode {
  const {
    handler = new RecordingHandler(chain),
    identitySeed = chain.identitySeeds[index],
    ...others
  } = options
  if (identitySeed === undefined) throw new Error(`no seed ${index}`)
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const settings = { peerExchangeIntervalMs: 2_000, statusIntervalMs: 1_000, ...others.settings }
  const network = new Network({ genesis: chain.genesis, identitySeed, listen, ...others, handler, settings })
  return { network, handler }
}

/** Started one after another, each told of the first only. */
export async function startedNodes(chain: Chain, count: number): Promise<TestNode[]> {
  const nodes: TestNode[] = []
  for (let index = 0; index < count; index++) {
    const node = aNode(chain, index, { bootstrap: nodes[0]?.network.addresses() ?? [] })
    await node.network.start()
    nodes.push(node)
  }
  return nodes
}

export async function stopAll(nodes: readonly TestNode[]): Promise<void> {
  await Promise.all(nodes.map(({ network }) => network.stop()))
}

/** Resolves when the condition holds; what it names is in the error if it does not in time. */
export async function until(
  what: string,
  holds: () => boolean,
  { timeoutMs = 15_000, nodes = [] as readonly TestNode[] } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > deadline) {
      const logs = nodes.map(({ handler }, index) => `node ${index}:\n${handler.lines.slice(-25).join('\n')}`)
      throw new Error(`not in ${timeoutMs} ms: ${what}\n${logs.join('\n')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Every node has greeted every other. */
export function isFullMesh(nodes: readonly TestNode[]): boolean {
  return nodes.every(({ network }) => network.chainPeers().length === nodes.length - 1)
}
