import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createSigner, sha256, signingInput } from '../../../src/crypto/native/index.ts'
import { Submissions } from '../../../src/node/submission.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'

test('a batch is told of while it is written, and answered for when it is on disk', async () => {
  const { genesis, state } = await ChainBuilder.create()
  const signer = createSigner(new Uint8Array(32).fill(7))
  const happened: string[] = []
  const { promise: isWritten, resolve: written } = Promise.withResolvers<void>()
  const submissions = new Submissions({
    genesis,
    keys: {
      validator: undefined,
      nodeKey: signer.publicKey,
      signBatch: (bytes: Uint8Array) =>
        signer.sign(signingInput({ kind: 'batch', genesisHash: genesis.hash, bytes })),
      proveVrf: () => assert.fail(),
    },
    sha256,
    store: {
      messagePlaces: async (ids: readonly unknown[]) => ids.map(() => undefined),
      saveStep: async () => {
        happened.push('write begins')
        await isWritten
        happened.push('written')
      },
    },
    mempool: { pinnedHasMessage: () => false },
    head: { state },
    door: { offer: async () => ({ kind: 'added' }) },
    clock: {
      nowMs: () => 0,
      schedule: (_delayMs: number, action: () => void) => {
        queueMicrotask(action)
        return () => undefined
      },
    },
    maxDelayMs: 0,
    blockIntervalMs: () => 0,
    maxBytes: 100_000,
    verifySigned: () => false,
    onBatch: () => happened.push('told'),
    onStored: () => happened.push('stored'),
    onFatal: (error: unknown) => assert.fail(String(error)),
  } as unknown as ConstructorParameters<typeof Submissions>[0])

  const answer = submissions.submit([{ data: Uint8Array.of(1), timestamp: 0 }]).then((submission) => {
    happened.push(submission.kind)
  })
  while (!happened.includes('told')) await turn()
  assert.deepEqual(happened, ['write begins', 'told'])
  written()
  await answer
  assert.deepEqual(happened, ['write begins', 'told', 'written', 'stored', 'accepted'])
})
