// A stranger that joins a network's gossip and writes down everything signed that it hears; it answers nothing, and says
// only what a test makes it say.
import { randomBytes } from 'node:crypto'
import type { Frame } from '../../src/codec/index.ts'
import { Network, type NetworkHandler, type VerifiedFrame } from '../../src/network/index.ts'
import type { BlockId, Genesis, Height } from '../../src/types/index.ts'
import type { TestScope } from './processes.ts'
import type { SignatureLedger } from './signature-ledger.ts'

/** What it joins. */
export interface HeardNetwork {
  readonly genesis: Genesis
  readonly nodes: readonly { readonly p2pAddress: string }[]
  readonly running: readonly unknown[]
  until(what: string, holds: () => boolean): Promise<void>
}

export class WireListener {
  readonly ledger: SignatureLedger
  readonly #network: Network
  readonly #addresses: readonly string[]
  readonly #counts = new Map<string, number>()
  #final: Height = 0

  /** Joins through the first nodes; leaves when the test ends. */
  static async join(test: TestScope, network: HeardNetwork, ledger: SignatureLedger): Promise<WireListener> {
    const listener = new WireListener(network, ledger)
    await listener.#network.start()
    test.after(() => listener.#network.stop())
    await network.until(
      'the listener is greeted by all nodes',
      () => listener.nodeCount === network.running.length,
    )
    return listener
  }

  private constructor({ genesis, nodes }: HeardNetwork, ledger: SignatureLedger) {
    this.ledger = ledger
    this.#addresses = nodes.map(({ p2pAddress }) => p2pAddress)
    this.#network = new Network({
      genesis,
      identitySeed: randomBytes(32),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: this.#addresses,
      handler: this.#handler(genesis.hash),
      settings: { statusIntervalMs: 500, redialMaxMs: 1_000 },
    })
  }

  /** Of the nodes it was given, those that greeted it; others of the network (a bootstrap peer) find it as well. */
  get nodeCount(): number {
    const greeted = this.#network.chainPeers().map(String)
    return this.#addresses.filter((address) => greeted.some((peer) => address.endsWith(`/p2p/${peer}`)))
      .length
  }

  /** Frames heard, by kind. */
  get counts(): Record<string, number> {
    return Object.fromEntries(this.#counts)
  }

  /** Gossips a frame, whatever it is. */
  say(frame: Frame): void {
    this.#network.publish(frame)
  }

  #hear(frame: VerifiedFrame): void {
    this.#counts.set(frame.kind, (this.#counts.get(frame.kind) ?? 0) + 1)
    switch (frame.kind) {
      case 'vote':
        this.ledger.addVote(frame.vote, 'wire')
        return
      case 'certificate': {
        const { certificate } = frame
        this.ledger.addCertificate(certificate, 'wire')
        if (certificate.kind === 'finalization') this.#final = Math.max(this.#final, certificate.height)
        return
      }
      case 'pool-commitment': {
        const { height, validator, bytes } = frame.commitment
        const content = Buffer.from(bytes).toString('hex')
        this.ledger.add({ kind: 'pool-commitment', height, validator, content }, 'wire')
        return
      }
      case 'proposal': {
        const { height, view, leader, blockId, block, justification } = frame.proposal
        this.ledger.add({ kind: 'proposal', height, view, validator: leader, content: blockId }, 'wire')
        if (block !== undefined) this.ledger.addBlock(block, 'wire')
        for (const certificate of justification) this.ledger.addCertificate(certificate, 'wire')
      }
    }
  }

  #handler(genesisHash: Genesis['hash']): NetworkHandler {
    const silent = () => undefined
    return {
      onFrame: (frame) => this.#hear(frame),
      onAhead: (height) => {
        this.#final = Math.max(this.#final, height - 1)
      },
      heightWindow: () => ({ final: this.#final }),
      status: () => ({
        genesisHash,
        finalHeight: 0,
        finalBlockId: genesisHash as unknown as BlockId,
        holding: { height: 1, view: 0, commitments: [], views: [] },
      }),
      answerView: async () => [],
      answerBatches: async () => [],
      answerBlocks: async function* () {},
      onPeerStatus: (_peer, { finalHeight }) => {
        this.#final = Math.max(this.#final, finalHeight)
      },
      loadPeers: async () => [],
      savePeers: async () => undefined,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    }
  }
}
