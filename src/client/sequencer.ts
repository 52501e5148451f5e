// A namespace as a rollup sees its sequencer: submit, the next batch after a given one, verify a batch. A batch is all
// that one block holds of the namespace; blocks without any are part of its proof, so that none can be passed over.
import {
  type NamespaceBlock,
  type ProvenHeader,
  type Refused,
  type Trust,
  type TrustedBlock,
  type Verdict,
  verifyNamespace,
} from '../proofs/index.ts'
import type { MessageId } from '../types/index.ts'
import { Client } from './client.ts'
import type { ClientOptions } from './http.ts'
import { VerifiedClient } from './verified.ts'

export interface SequencerOptions extends ClientOptions {
  readonly trust: Trust
  readonly namespace: string
}

export interface SequencedBatch {
  /** The block that holds it; what the next batch comes after. */
  readonly block: TrustedBlock
  /** Data of the namespace's messages, in order; at least one. */
  readonly transactions: readonly Uint8Array[]
  readonly ids: readonly MessageId[]
  /** Of the namespace in all blocks after the batch before, up to this one: each goes on where the one before ends. */
  readonly proofs: readonly unknown[]
}

/** Blocks asked for at one time. */
const pageBlocks = 100

export class NamespaceSequencer {
  readonly #options: SequencerOptions
  readonly #client: Client
  readonly #verified: VerifiedClient

  constructor(options: SequencerOptions) {
    const { trust, namespace: _, ...http } = options
    this.#options = options
    this.#client = new Client(http)
    this.#verified = new VerifiedClient({ trust, ...http })
  }

  /** Resolves once the transactions are on a node's disk. Equal data needs a timestamp of its own to count twice.
   *  @throws ClientError */
  async submit(
    transactions: readonly Uint8Array[],
    { timestamp = 0 }: { readonly timestamp?: number } = {},
  ): Promise<MessageId[]> {
    const { namespace } = this.#options
    const states = await this.#client.send(transactions.map((data) => ({ data, namespace, timestamp })))
    return states.map(({ id }) => id)
  }

  /** The first batch after the block `after` (genesis, or that of a batch), proven; undefined where there is none yet.
   *  @throws ClientError where no node answers with a proof that holds. */
  async nextBatch(after: TrustedBlock): Promise<SequencedBatch | undefined> {
    const { namespace } = this.#options
    const proofs: unknown[] = []
    let trusted = after
    for (;;) {
      const from = trusted.height + 1
      const page = await this.#verified.namespace(namespace, { from, limit: pageBlocks, trusted })
      if (page === undefined) return undefined
      const found = page.blocks.find(({ messages }) => messages.length > 0)
      if (found === undefined) {
        proofs.push(page.proof)
        trusted = trustedOf(page.block)
        continue
      }
      // Asked again, for a proof that ends with the batch: only its last block has a finalization of its own.
      const to = found.header.height
      const exact = await this.#verified.namespace(namespace, { from, to, trusted })
      const whole = [...proofs, exact?.proof]
      const verdict = this.verifyBatch({ proofs: whole }, after)
      return verdict.ok ? { ...verdict, proofs: whole } : undefined
    }
  }

  /** Whether a batch, from wherever it came, is the one after the block `after`. */
  verifyBatch(
    batch: Pick<SequencedBatch, 'proofs'>,
    after: TrustedBlock,
  ): Verdict<Omit<SequencedBatch, 'proofs'>> {
    const { trust, namespace } = this.#options
    let trusted = after
    for (const [at, proof] of batch.proofs.entries()) {
      const verdict = verifyNamespace({ trust, proof, namespace, trusted })
      if (!verdict.ok) return verdict
      const first = verdict.blocks.findIndex(({ messages }) => messages.length > 0)
      const block = verdict.blocks[first]
      if (block === undefined) {
        trusted = trustedOf(verdict.block)
        continue
      }
      const isEnd = at === batch.proofs.length - 1 && first === verdict.blocks.length - 1
      return isEnd ? { ok: true, ...contentOf(block) } : notABatch
    }
    return notABatch
  }
}

const notABatch: Refused = {
  ok: false,
  reason: 'other-range',
  detail: 'the last block of a batch holds messages, and only that one',
}

function trustedOf({ id, header }: ProvenHeader): TrustedBlock {
  return { height: header.height, id, time: header.time }
}

function contentOf(block: NamespaceBlock): Omit<SequencedBatch, 'proofs'> {
  return {
    block: trustedOf(block),
    transactions: block.messages.map(({ message }) => message.data),
    ids: block.messages.map(({ id }) => id),
  }
}
