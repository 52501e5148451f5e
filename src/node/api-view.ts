// What the HTTP facade sees of a node: implements the API's ports over the replica, the network and the store.
// Reads only, but for the two doors: messages, and what validators signed.
import type {
  ApiPorts,
  BlockView,
  CommitmentsView,
  MessageState,
  PoolMessage,
  PoolView,
  Readiness,
} from '../api/index.ts'
import type { PeerStatus } from '../codec/index.ts'
import type { Network } from '../network/index.ts'
import { isQuorum, powerOf } from '../quorum/index.ts'
import { type ChainStore, messagesOf } from '../storage/index.ts'
import { inclusionOf, isThere, proofToJsonText, type TriePath } from '../trie/index.ts'
import type { BlockId, Genesis, Height, MessageId, PeerId, ValidatorIndex, Vote } from '../types/index.ts'
import type { PendingKeys } from './pending-keys.ts'
import type { ProofMaker } from './proof-maker.ts'
import type { Replica } from './replica.ts'
import { takeSigned } from './signed-door.ts'

export interface ApiViewOptions {
  readonly genesis: Genesis
  readonly genesisText: string
  readonly replica: Replica
  readonly network: Network
  readonly store: ChainStore
  readonly pendingKeys: PendingKeys
  readonly validator: ValidatorIndex | undefined
  readonly version: string
  readonly startedAt: number
  readonly proofs: ProofMaker
  /** What connected peers told last. */
  readonly statusOf: (peer: PeerId) => PeerStatus | undefined
  readonly metricsText: () => Promise<string>
}

/** Of a block that is kept in memory until the next: some 4 MB (`chargeOf` in mempool). */
const latestMessagesMax = 10_000

export function apiView(options: ApiViewOptions): ApiPorts {
  const { genesis, replica, network, store } = options
  // Readers of the stream ask for each block as soon as it is final: it need not be read for them.
  let latest: (BlockView & { readonly kind: 'final' }) | undefined
  replica.onFinal(({ final: { block, finalization }, messages }) => {
    const isSmall = messages.length <= latestMessagesMax
    latest = isSmall ? { kind: 'final', block, finalization, messages } : undefined
  })
  return {
    submitMessages: (messages) => replica.submit(messages),
    messageStates: (ids) => messageStates(options, ids),
    onFinalBlock: (listener) =>
      replica.onFinal(({ height, messageIds, expired, refused }) => {
        const dropped = [
          ...expired.map((id) => ({ id, state: 'expired' as const })),
          ...refused.map(({ id, reason }) => ({ id, state: 'refused' as const, reason })),
        ]
        listener({ height, messageIds, dropped })
      }),
    tipHeight: () => replica.head.state.height,
    block: async (height) =>
      latest?.block.header.height === height ? latest : await blockView(store, genesis, height),
    genesisText: () => options.genesisText,
    limits: () => genesis.limits,
    validators: () => ({
      faultModel: genesis.faultModel,
      powerTotal: replica.thresholds.powerTotal,
      faultyMax: replica.thresholds.faultyMax,
      quorum: replica.thresholds.quorum,
      validators: genesis.validators,
    }),
    stateRoot: async () => replica.head.state.trie,
    merkleProof: async (key) => {
      const proof = inclusionOf(await latestPath(replica, key), key, store.dataOf)
      return proof === undefined ? undefined : proofToJsonText(proof)
    },
    waitForKey: (key, signal) => waitForKey(options, key, signal),
    finalityProof: async (id, { withTrie }) => textOf(await options.proofs.finality(id, { withTrie })),
    namespaceProof: async (namespace, range) => textOf(await options.proofs.namespace(namespace, range)),
    trieProof: async (key, height) => {
      const proof = await options.proofs.trie(key, height)
      return proof === 'too-old' ? proof : textOf(proof)
    },
    headers: async (range) => textOf(await options.proofs.headers(range)),
    receipt: (ids) => JSON.stringify(options.proofs.receipt(ids)),
    submitSigned: async (kind, signed) =>
      takeSigned(
        {
          genesis,
          verifier: network.verifier,
          finalHeight: replica.head.state.height,
          take: (frame) => {
            replica.onFrame(frame, { peerId: network.peerId, validator: null })
            network.publish(frame)
          },
        },
        kind,
        signed,
      ),
    commitments: () => commitmentsView(replica),
    evidence: () => replica.evidence,
    readiness: () => readiness(options),
    status: () => {
      const { height, blockId, time, stateRoot } = replica.head.state
      return {
        chainId: genesis.chainId,
        genesisHash: genesis.hash,
        version: options.version,
        peerId: network.peerId,
        validator: options.validator ?? null,
        finalHeight: height,
        finalBlockId: blockId,
        finalBlockTime: time,
        stateRoot,
        height: height + 1,
        view: replica.core.view,
        peerCount: network.peers().length,
        startedAt: options.startedAt,
      }
    },
    peers: () =>
      network.peers().map(({ peer, addresses, direction, validator }) => ({
        peerId: peer,
        address: addresses[0] ?? '',
        direction,
        validator: validator ?? null,
        finalHeight: options.statusOf(peer)?.finalHeight ?? null,
      })),
    pool: ({ limit }) => poolView(replica, limit),
    metricsText: options.metricsText,
  }
}

function textOf(proof: object | undefined): string | undefined {
  return proof === undefined ? undefined : JSON.stringify(proof)
}

async function messageStates(options: ApiViewOptions, ids: readonly MessageId[]): Promise<MessageState[]> {
  const { store, replica } = options
  const places = await store.messagePlaces(ids)
  return ids.map((id, at) => {
    const place = places[at]
    if (place !== undefined) return { state: 'final', ...place }
    if (replica.mempool.hasMessage(id)) return { state: 'pending' }
    const refusal = store.refusalOf(id)
    return refusal === undefined ? { state: 'unknown' } : { state: refusal.state, reason: refusal.reason }
  })
}

async function blockView(
  store: ChainStore,
  genesis: Genesis,
  height: Height,
): Promise<BlockView | undefined> {
  if (height === 0) return { kind: 'genesis', id: genesis.hash as BlockId, time: genesis.time }
  const final = await store.readFinal(height)
  if (final === undefined) return undefined
  return {
    kind: 'final',
    block: final.block,
    finalization: final.finalization,
    messages: messagesOf(final),
  }
}

/** In the trie of the last block. */
async function latestPath({ trie, head }: Replica, key: Uint8Array): Promise<TriePath> {
  for (;;) {
    const path = await trie.path(key, head.state.height)
    // Else it was overtaken by more blocks than are kept.
    if (path !== undefined) return path
  }
}

/** Looks after every final block; gives up where nothing pending has the key. */
async function waitForKey(options: ApiViewOptions, key: Uint8Array, signal: AbortSignal): Promise<boolean> {
  const { replica, pendingKeys } = options
  let blocks = 0
  let onBlock = () => {}
  const end = replica.onFinal(() => {
    blocks += 1
    onBlock()
  })
  signal.addEventListener('abort', () => onBlock(), { once: true })
  try {
    for (;;) {
      const seen = blocks
      if (isThere(await latestPath(replica, key), key)) return true
      if (signal.aborted) return false
      if (blocks > seen) continue
      if (!pendingKeys.has(key)) return false
      await new Promise<void>((resolve) => {
        onBlock = resolve
      })
    }
  } finally {
    end()
  }
}

function commitmentsView({ core }: Replica): CommitmentsView {
  const votes: Vote[] = []
  for (const view of core.views.values()) {
    votes.push(...view.notarizes.values(), ...view.nullifies.values(), ...view.finalizes.values())
  }
  return { height: core.context.height, view: core.view, commitments: [...core.commitments.values()], votes }
}

function poolView({ mempool }: Replica, limit = Number.POSITIVE_INFINITY): PoolView {
  const messages: PoolMessage[] = []
  const seen = new Set<MessageId>()
  for (const { batch, receivedAt } of mempool.oldest(Number.MAX_SAFE_INTEGER)) {
    for (const [at, message] of batch.messages.entries()) {
      if (messages.length >= limit) break
      const id = batch.messageIds[at]
      if (id === undefined || seen.has(id) || !mempool.hasMessage(id)) continue
      seen.add(id)
      messages.push({ id, message, receivedAt })
    }
    if (messages.length >= limit) break
  }
  const { messages: messageCount, bytes } = mempool.stats()
  return { messageCount, sizeBytes: bytes, messages }
}

function readiness({ replica, network, genesis, validator }: ApiViewOptions): Readiness {
  const { height } = replica.head.state
  const behind = replica.bestKnownHeight - height
  if (behind > 1) return { isReady: false, reason: `catching up: ${behind} blocks behind` }
  // Those alone that have told how far they are: before, nobody knows whether this node is behind.
  const connected = network
    .peers()
    .flatMap(({ greeted, validator: index }) => (greeted && index !== undefined ? [index] : []))
  const powers = genesis.validators.map(({ power }) => power)
  const power = powerOf(powers, validator === undefined ? connected : [...connected, validator])
  if (isQuorum(replica.thresholds, power)) return { isReady: true }
  const { powerTotal } = replica.thresholds
  return {
    isReady: false,
    reason: `connected to validators of power ${power} of ${powerTotal}, less than a quorum`,
  }
}
