// A chain that proofs are made of and checked against: what a node would hand out, and what a stranger starts from.
import assert from 'node:assert/strict'
import { encodeHeader, genesisToJson } from '../../src/codec/index.ts'
import { createSigner, sha256, signingInput, verifySignature } from '../../src/crypto/native/index.ts'
import { ProofMaker } from '../../src/node/proof-maker.ts'
import { type Trust, trustGenesis, type Verdict } from '../../src/proofs/index.ts'
import type { BlockId, Finalization, Hash, Header, Message, MessageId } from '../../src/types/index.ts'
import { aMessage, type BlockOptions, ChainBuilder, type ChainBuilderOptions } from './chain-builder.ts'

export const receiptTimeMs = 1_700_000_500_000

export interface ProvenChain {
  readonly builder: ChainBuilder
  readonly maker: ProofMaker
  readonly genesisText: string
  /** With native hands: exhaustive tests check a great many signatures. */
  readonly trust: Trust
}

export async function provenChain(options: ChainBuilderOptions = {}): Promise<ProvenChain> {
  const builder = await ChainBuilder.create(options)
  const genesisText = genesisToJson(builder.genesis)
  const trust = trustGenesis(genesisText, { sha256, verifySignature })
  assert(trust.ok)
  return { builder, maker: makerOf(builder), genesisText, trust: trust.value }
}

function makerOf(
  { genesis, store, trie, keys }: ChainBuilder,
  reader: ConstructorParameters<typeof ProofMaker>[0]['store'] = store,
): ProofMaker {
  const nodeSeed = keys[0]?.nodeSeed
  assert(nodeSeed !== undefined)
  const signer = createSigner(nodeSeed)
  const sign = (bytes: Uint8Array) =>
    signer.sign(signingInput({ kind: 'receipt', genesisHash: genesis.hash, bytes }))
  return new ProofMaker({
    store: reader,
    trie,
    sha256,
    receiptSigner: { node: signer.publicKey, sign },
    clock: { nowMs: () => receiptTimeMs },
  })
}

/** The same chain with headers whose state is of `lag` blocks earlier, as under load: made, linked and signed anew, with
 *  everything in them as it was but `stateHeight` and `stateRoot`. */
export async function withLaggingState(chain: ProvenChain, lag: number): Promise<ProvenChain> {
  const { builder } = chain
  const { store } = builder
  const stored = await store.readHeaders(1, store.tip.height)
  const headers: { header: Header; finalization: Finalization }[] = []
  let previousBlockId = builder.genesis.hash as BlockId
  for (const { header: own } of stored) {
    const stateHeight = Math.max(0, own.height - lag)
    const stateRoot = stored[stateHeight - 1]?.header.stateRoot ?? ('00'.repeat(32) as Hash)
    const header = { ...own, previousBlockId, stateHeight, stateRoot }
    previousBlockId = Buffer.from(sha256(encodeHeader(header))).toString('hex') as BlockId
    const vote = { kind: 'finalize', height: own.height, view: own.view, blockId: previousBlockId } as const
    const finalization = builder.certificate(vote)
    assert(finalization.kind === 'finalization')
    headers.push({ header, finalization })
  }
  const reader: ConstructorParameters<typeof ProofMaker>[0]['store'] = Object.create(store, {
    tip: { value: store.tip },
    readHeaders: { value: async (from: number, count: number) => headers.slice(from - 1, from - 1 + count) },
    readFinalization: { value: (height: number) => headers[height - 1]?.finalization },
    messagePlaces: { value: (ids: MessageId[]) => store.messagePlaces(ids) },
    readMessages: { value: (height: number) => store.readMessages(height) },
    dataOf: { value: store.dataOf },
  })
  return { ...chain, maker: makerOf(builder, reader) }
}

/** The chain with one block for each list of namespaces (undefined: a message without one). Message texts tell block
 *  and place. */
export async function chainOf(
  blocks: readonly (readonly (string | undefined)[])[],
  options: ChainBuilderOptions = {},
  blockOptions: BlockOptions = {},
): Promise<ProvenChain> {
  const chain = await provenChain(options)
  for (const [at, namespaces] of blocks.entries()) {
    const messages = namespaces.map((namespace, index): Message => {
      const text = `block ${at + 1} message ${index}`
      return namespace === undefined ? aMessage(text) : aMessage(text, { namespace })
    })
    await chain.builder.addBlock({ ...blockOptions, messages })
  }
  return chain
}

/** Ids of a block's messages, in order. */
export async function idsOf({ builder }: ProvenChain, height: number): Promise<MessageId[]> {
  const messages = await builder.store.readMessages(height)
  assert(messages !== undefined)
  return messages.map(({ id }) => id)
}

export function assertProven<T extends object>(verdict: Verdict<T>): asserts verdict is { ok: true } & T {
  assert(verdict.ok, verdict.ok ? '' : `${verdict.reason}: ${verdict.detail}`)
}

/** The value, which the test knows to be there. */
export function there<T>(value: T | undefined): T {
  assert(value !== undefined)
  return value
}
