// A node in memory, as the HTTP facade sees one: tests say when a block is final, what is refused, what waits.
import { createHash } from 'node:crypto'
import type {
  ApiPorts,
  BlockView,
  FinalBlockEvent,
  MessageState,
  PeerView,
  ProofText,
  Readiness,
  SignedOutcome,
  SignedSubmission,
  StateRootView,
  Submission,
  SubmitRefusal,
} from '../../src/api/index.ts'
import {
  bytesToHex,
  defaultLimits,
  encodeEvidence,
  encodeHeader,
  encodePoolCommitmentBody,
  messageIdOf,
} from '../../src/codec/index.ts'
import type {
  BatchId,
  Block,
  BlockId,
  Evidence,
  Hash,
  Header,
  Message,
  MessageId,
  PeerId,
  PoolCommitment,
  PublicKey,
  SequencedMessage,
  Validator,
  Vote,
  VrfPublicKey,
} from '../../src/types/index.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const hashOf = <T extends string>(name: string): T => bytesToHex(sha256(Buffer.from(name))) as T
const signatureOf = (name: string): Uint8Array => createHash('sha512').update(name).digest()
export const genesisTime = 1_700_000_000_000
const blockIntervalMs = 1_500

export function idOf(message: Message): MessageId {
  return messageIdOf(message, sha256)
}

interface WaitingForKey {
  readonly key: string
  readonly answer: (isThere: boolean) => void
}

/** What a test may look at and set is public. */
export class FakeNode implements ApiPorts {
  /** What the next submission is refused with. */
  refusal: SubmitRefusal | undefined
  outcome: SignedOutcome = { kind: 'accepted' }
  ready: Readiness = { isReady: true }
  root: StateRootView = { hash: null, left: null, right: null }
  /** Keys (hex) of the trie with their proofs, and of messages that are pending. */
  readonly proofs = new Map<string, string>()
  readonly pendingKeys = new Set<string>()
  readonly submissions: { messages: readonly Message[]; address: string }[] = []
  readonly signed: { kind: string; signed: SignedSubmission }[] = []
  evidenceHeld: Evidence[] = []
  failure: Error | undefined
  metrics: string | undefined
  readonly #blocks: BlockView[] = [{ kind: 'genesis', id: hashOf<BlockId>('genesis'), time: genesisTime }]
  readonly #states = new Map<MessageId, MessageState>()
  readonly #pending = new Map<MessageId, Message>()
  readonly #listeners = new Set<(event: FinalBlockEvent) => void>()
  readonly #waitingForKeys = new Set<WaitingForKey>()
  readonly #submissionWaiters: (() => void)[] = []

  get listenerCount(): number {
    return this.#listeners.size
  }

  /** Resolves at the next submission that is accepted. */
  nextSubmission(): Promise<void> {
    return new Promise((resolve) => this.#submissionWaiters.push(resolve))
  }

  /** Makes a block of all that is pending, or of nothing. */
  finalise(): BlockView {
    const messages = [...this.#pending].map(([id, message]) => ({ id, message }))
    this.#pending.clear()
    const height = this.#blocks.length
    const view = aBlock(height, messages)
    this.#blocks.push(view)
    for (const [index, { id }] of messages.entries()) this.#states.set(id, { state: 'final', height, index })
    this.#announce({ height, messageIds: messages.map(({ id }) => id), dropped: [] })
    return view
  }

  /** Lets a pending message expire. */
  expire(id: MessageId, reason: string): void {
    this.#pending.delete(id)
    this.#states.set(id, { state: 'expired', reason })
    this.#announce({
      height: this.#blocks.length,
      messageIds: [],
      dropped: [{ id, state: 'expired', reason }],
    })
  }

  /** The trie has the key from now on. */
  prove(keyHex: string, proof: string): void {
    this.pendingKeys.delete(keyHex)
    this.proofs.set(keyHex, proof)
    for (const { key, answer } of this.#waitingForKeys) if (key === keyHex) answer(true)
  }

  /** Proofs by what they are of: the routes only pass them on. */
  readonly proofTexts = new Map<string, string>()

  async finalityProof(id: MessageId, { withTrie }: { withTrie: boolean }): Promise<ProofText> {
    return this.proofTexts.get(`message ${id}${withTrie ? ' with trie' : ''}`)
  }

  async namespaceProof(namespace: string, range: { from: number; count: number }): Promise<ProofText> {
    return this.proofTexts.get(`namespace ${namespace} from ${range.from} count ${range.count}`)
  }

  async trieProof(key: Uint8Array, height: number | undefined): Promise<ProofText | 'too-old'> {
    return this.proofTexts.get(`key ${bytesToHex(key)} at ${height ?? 'latest'}`)
  }

  async headers({ from, count }: { from: number; count: number }): Promise<ProofText> {
    return this.proofTexts.get(`headers from ${from} count ${count}`)
  }

  receipt(ids: readonly MessageId[]): string {
    const signature = bytesToHex(signatureOf('receipt'))
    const body = { type: 'diseq/1/receipt', node: hashOf('node'), time: genesisTime, finalHeight: 0, ids }
    return JSON.stringify({ ...body, signature })
  }

  get waitingForKeyCount(): number {
    return this.#waitingForKeys.size
  }

  async submitMessages(
    messages: readonly Message[],
    context: { readonly address: string },
  ): Promise<Submission> {
    if (this.failure !== undefined) throw this.failure
    const { refusal } = this
    if (refusal !== undefined) return refusal
    const expired = messages.findIndex(
      ({ expiresAt }) => expiresAt !== undefined && expiresAt <= this.tipHeight(),
    )
    if (expired >= 0) {
      return { kind: 'refused', code: 'expired', reason: 'The message has expired.', index: expired } as const
    }
    this.submissions.push({ messages, address: context.address })
    const ids = messages.map(idOf)
    for (const [index, id] of ids.entries()) {
      if (this.#states.has(id)) continue
      this.#states.set(id, { state: 'pending' })
      this.#pending.set(id, messages[index] as Message)
    }
    for (const resolve of this.#submissionWaiters.splice(0)) resolve()
    return { kind: 'accepted', ids } as const
  }

  async messageStates(ids: readonly MessageId[]): Promise<readonly MessageState[]> {
    return ids.map((id) => this.#states.get(id) ?? { state: 'unknown' })
  }

  onFinalBlock(listener: (event: FinalBlockEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tipHeight(): number {
    return this.#blocks.length - 1
  }

  async block(height: number): Promise<BlockView | undefined> {
    return this.#blocks[height]
  }

  genesisText(): string {
    return '{\n  "chainId": "test"\n}\n'
  }

  limits() {
    return defaultLimits
  }

  validators() {
    return { faultModel: 'byzantine', powerTotal: 4, faultyMax: 1, quorum: 3, validators } as const
  }

  async stateRoot(): Promise<StateRootView> {
    return this.root
  }

  async merkleProof(key: Uint8Array): Promise<string | undefined> {
    return this.proofs.get(bytesToHex(key))
  }

  waitForKey(key: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const keyHex = bytesToHex(key)
    if (this.proofs.has(keyHex)) return Promise.resolve(true)
    if (!this.pendingKeys.has(keyHex)) return Promise.resolve(false)
    return new Promise((resolve) => {
      const waiting = {
        key: keyHex,
        answer: (isThere: boolean) => {
          this.#waitingForKeys.delete(waiting)
          resolve(isThere)
        },
      }
      this.#waitingForKeys.add(waiting)
      signal.addEventListener('abort', () => waiting.answer(false), { once: true })
      for (const told of this.#submissionWaiters.splice(0)) told()
    })
  }

  async submitSigned(kind: 'commit' | 'propose', signed: SignedSubmission): Promise<SignedOutcome> {
    this.signed.push({ kind, signed })
    return this.outcome
  }

  commitments() {
    return { height: this.#blocks.length, view: 0, commitments: [aCommitment(this.#blocks.length)], votes }
  }

  evidence(): readonly Evidence[] {
    return this.evidenceHeld
  }

  readiness(): Readiness {
    return this.ready
  }

  status() {
    const tip = this.#blocks.at(-1) as BlockView
    return {
      chainId: 'test',
      genesisHash: hashOf<Hash>('genesis'),
      version: '1.2.3',
      peerId: '12D3KooWtest' as PeerId,
      validator: 0,
      finalHeight: this.tipHeight(),
      finalBlockId: tip.kind === 'genesis' ? tip.id : tip.block.id,
      finalBlockTime: tip.kind === 'genesis' ? tip.time : tip.block.header.time,
      stateRoot: hashOf<Hash>('root'),
      height: this.#blocks.length,
      view: 0,
      peerCount: 1,
      startedAt: genesisTime,
    }
  }

  peers(): readonly PeerView[] {
    const peerId = '12D3KooWother' as PeerId
    return [
      { peerId, address: '/ip4/127.0.0.1/tcp/1', direction: 'inbound', validator: null, finalHeight: 3 },
    ]
  }

  pool({ limit }: { readonly limit?: number }) {
    const all = [...this.#pending].map(([id, message]) => ({ id, message, receivedAt: genesisTime }))
    const sizeBytes = all.reduce((total, { message }) => total + message.data.length, 0)
    return { messageCount: all.length, sizeBytes, messages: all.slice(0, limit ?? all.length) }
  }

  #announce(event: FinalBlockEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** A fake node that has metrics. */
export class FakeNodeWithMetrics extends FakeNode {
  metricsText(): string {
    return '# TYPE diseq_height gauge\ndiseq_height 1\n'
  }
}

export const validators: readonly Validator[] = Array.from({ length: 4 }, (_, index) => ({
  name: `validator ${index}`,
  votingKey: hashOf<PublicKey>(`voting ${index}`),
  vrfKey: hashOf<VrfPublicKey>(`vrf ${index}`),
  peerId: `12D3KooW${index}` as PeerId,
  nodeKey: hashOf<PublicKey>(`node ${index}`),
  power: 1,
}))

export const votes: readonly Vote[] = [
  {
    kind: 'notarize',
    height: 1,
    view: 0,
    validator: 1,
    blockId: hashOf<BlockId>('block'),
    signature: signatureOf('notarize'),
  },
  { kind: 'nullify', height: 1, view: 0, validator: 2, signature: signatureOf('nullify') },
]

export function aCommitment(height: number): PoolCommitment {
  const time = genesisTime + height
  const body = { height, time, entries: [{ batchId: hashOf<BatchId>('batch'), receivedAt: genesisTime }] }
  return {
    ...body,
    validator: 1,
    bytes: encodePoolCommitmentBody(body),
    signature: signatureOf('commitment'),
  }
}

export function anEvidence(): Evidence {
  const payload = (view: number) => {
    const bytes = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, view)
    return { kind: 'nullify', bytes, signature: signatureOf(`nullify ${view}`) } as const
  }
  const evidence = { validator: 2, height: 1, first: payload(0), second: payload(1) }
  encodeEvidence(evidence)
  return evidence
}

function aBlock(height: number, messages: readonly SequencedMessage[]): BlockView {
  const header: Header = {
    version: 1,
    chainId: 'test',
    height,
    view: 1,
    time: genesisTime + height * blockIntervalMs,
    previousBlockId: hashOf<BlockId>('previous'),
    leader: 2,
    vrfProof: new Uint8Array(80).fill(7),
    commitmentsHash: hashOf('commitments'),
    batchesHash: hashOf('batches'),
    sequenceRoot: hashOf('sequence'),
    messageCount: messages.length,
    namespacesRoot: hashOf('namespaces'),
    namespaceCount: 0,
    stateHeight: height,
    stateRoot: hashOf('state'),
    validatorsHash: hashOf('validators'),
    nextValidatorsHash: hashOf('validators'),
  }
  const headerBytes = encodeHeader(header)
  const id = bytesToHex(sha256(headerBytes)) as BlockId
  const block: Block = {
    id,
    header,
    headerBytes,
    signature: signatureOf('leader'),
    commitments: [aCommitment(height)],
  }
  const signatures = [0, 1, 3].map((validator) => ({
    validator,
    signature: signatureOf(`final ${validator}`),
  }))
  const finalization = { kind: 'finalization', height, view: 1, blockId: id, signatures } as const
  return { kind: 'final', block, messages, finalization }
}
