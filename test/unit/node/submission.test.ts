import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createSigner, sha256, signingInput } from '../../../src/crypto/native/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import { BlockPace } from '../../../src/node/block-pace.ts'
import { Submissions } from '../../../src/node/submission.ts'
import type { Batch, BatchId, Message, MessageId } from '../../../src/types/index.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'

const signer = createSigner(new Uint8Array(32).fill(7))
type Options = ConstructorParameters<typeof Submissions>[0]

/** Over a store that is always done, a pool that takes all, and a clock that runs what is scheduled at once. */
async function makeSubmissions(overrides: object): Promise<Submissions> {
  const { genesis, state } = await ChainBuilder.create()
  return new Submissions({
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
      saveStep: async () => {},
    },
    mempool: { pinnedBytes: 0, pinnedGoneBytes: 0, pinnedHasMessage: () => false },
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
    backlogMaxMs: 4_000,
    blockIntervalMs: () => 0,
    maxBytes: 100_000,
    verifySigned: () => false,
    onBatch: () => {},
    onStored: () => {},
    onFatal: (error: unknown) => assert.fail(String(error)),
    ...overrides,
  } as unknown as Options)
}

test('a batch is told of while it is written, and answered for when it is on disk', async () => {
  const happened: string[] = []
  const { promise: isWritten, resolve: written } = Promise.withResolvers<void>()
  const submissions = await makeSubmissions({
    store: {
      messagePlaces: async (ids: readonly unknown[]) => ids.map(() => undefined),
      saveStep: async () => {
        happened.push('write begins')
        await isWritten
        happened.push('written')
      },
    },
    onBatch: () => happened.push('told'),
    onStored: () => happened.push('stored'),
  })

  const answer = submissions.submit([{ data: Uint8Array.of(1), timestamp: 0 }]).then((submission) => {
    happened.push(submission.kind)
  })
  while (!happened.includes('told')) await turn()
  assert.deepEqual(happened, ['write begins', 'told'])
  written()
  await answer
  assert.deepEqual(happened, ['write begins', 'told', 'written', 'stored', 'accepted'])
})

test('while more waits than blocks take in good time, clients are told to come again; what is known is still accepted, and so is what the node itself has to say', async () => {
  const MiB = 1024 * 1024
  const known = new Set<MessageId>()
  let nowMs = 0
  const mempool = { pinnedBytes: 0, pinnedGoneBytes: 0, pinnedHasMessage: (id: MessageId) => known.has(id) }
  const submissions = await makeSubmissions({
    mempool,
    backlogMaxMs: 1_000,
    clock: {
      nowMs: () => nowMs,
      schedule: (_delayMs: number, action: () => void) => {
        queueMicrotask(action)
        return () => undefined
      },
    },
  })
  let count = 0
  const messageOf = (number: number): Message => ({ data: Buffer.alloc(50_000), timestamp: number })
  const submit = (from?: 'node') => submissions.submit([messageOf(count++)], from)
  const first = await submit()
  assert.ok(first.kind === 'accepted')
  for (const id of first.ids) known.add(id)
  // Half a mebibyte a second of its own.
  const block = (waitingBytes: number) => {
    nowMs += 100
    mempool.pinnedBytes = waitingBytes
    mempool.pinnedGoneBytes += 50_000
    submissions.onFinal()
  }
  for (let at = 0; at < 5; at++) block(10 * MiB)
  assert.equal((await submit()).kind, 'accepted', 'not measured long enough')
  for (let at = 0; at < 5; at++) block(10 * MiB)
  const refusal = await submit()
  assert.ok(refusal.kind === 'refused' && refusal.code === 'pool-full' && refusal.retryAfterSeconds === 1)
  assert.deepEqual(await submissions.submit([messageOf(0)]), first)
  assert.equal((await submit('node')).kind, 'accepted')
  block(MiB)
  assert.equal((await submit()).kind, 'accepted', 'a mebibyte always fits')
  block(MiB + 1)
  assert.equal((await submit()).kind, 'refused')
  // Nothing is left of what was measured: whatever comes is taken again.
  block(0)
  mempool.pinnedBytes = 20 * MiB
  assert.equal((await submit()).kind, 'accepted')
})

test('what left the pool since another node’s batch brought it into the chain counts as taken', async () => {
  const sizeBytes = 100_000
  const mempool = new Mempool({ maxBytes: 1 << 30, maxBatches: 10_000, reservedAuthors: [], nextHeight: 1 })
  const schedule = (_delayMs: number, action: () => void) => {
    queueMicrotask(action)
    return () => undefined
  }
  let nowMs = 0
  const clock = { nowMs: () => nowMs, schedule }
  const submissions = await makeSubmissions({ mempool, clock })
  const batchOf = (number: number) =>
    ({
      id: `batch ${number}` as string as BatchId,
      author: signer.publicKey,
      bytes: new Uint8Array(sizeBytes),
      messages: [{ data: new Uint8Array(), timestamp: number }],
      messageIds: [`message ${number}` as string as MessageId],
    }) as unknown as Batch
  let pooled = 0
  const pool = (count: number) => {
    for (const end = pooled + count; pooled < end; pooled++)
      mempool.add({ batch: batchOf(pooled), receivedAt: 0, from: { kind: 'local' }, isPinned: true })
  }
  pool(30)
  for (let height = 1; height <= 20; height++) {
    nowMs += 100
    const messageIds = [0, 1, 2].map((at) => `message ${(height - 1) * 3 + at}` as string as MessageId)
    mempool.settle({ batchIds: [], messageIds, nextHeight: height + 1 })
    pool(3)
    submissions.onFinal()
  }
  // Three mebibytes wait, and blocks take as much in a second.
  const message = { data: Uint8Array.of(1), timestamp: 0 }
  assert.equal((await submissions.submit([message])).kind, 'accepted')
})

/** Submissions with a clock that stands still until it is moved, while blocks take 20 ms. */
async function makePaced(overrides: object = {}) {
  let nowMs = 1_000
  let timer: { atMs: number; action: () => void } | undefined
  const batches: Batch[] = []
  const submissions = await makeSubmissions({
    maxDelayMs: 5,
    blockIntervalMs: () => 20,
    clock: {
      nowMs: () => nowMs,
      schedule: (delayMs: number, action: () => void) => {
        timer = { atMs: nowMs + delayMs, action }
        return () => {
          timer = undefined
        }
      },
    },
    onBatch: (batch: Batch) => batches.push(batch),
    ...overrides,
  })
  const settle = async () => {
    for (let turns = 0; turns < 5; turns++) await turn()
  }
  const fire = async () => {
    const due = timer
    timer = undefined
    if (due === undefined) return
    nowMs = Math.max(nowMs, due.atMs)
    due.action()
    await settle()
  }
  return {
    batches,
    now: () => nowMs,
    send: async (number: number, sizeBytes = 1) => {
      void submissions.submit([{ data: Buffer.alloc(sizeBytes, number), timestamp: 0 }])
      await settle()
    },
    after: async (ms: number) => {
      nowMs += ms
      if (timer !== undefined && timer.atMs <= nowMs) await fire()
    },
    fire,
  }
}

test('messages wait for each other for half of a block’s time after the last batch', async () => {
  const { send, after, batches } = await makePaced()
  await send(0)
  await after(0)
  assert.equal(batches.length, 1, 'the first after a pause goes at once')
  await send(1)
  await after(5)
  await send(2)
  await after(4)
  assert.equal(batches.length, 1)
  await after(1)
  assert.deepEqual(
    batches[1]?.messages.map(({ data }) => data[0]),
    [1, 2],
  )
})

for (const isWaiting of [false, true]) {
  test(`a clock that is set back keeps no message waiting${isWaiting ? ', nor those that wait already once another comes' : ''}`, async () => {
    const { send, after, batches } = await makePaced()
    await send(0)
    await after(0)
    if (isWaiting) await send(1)
    await after(-500)
    await send(2)
    await after(0)
    assert.deepEqual(
      batches[1]?.messages.map(({ data }) => data[0]),
      isWaiting ? [1, 2] : [2],
    )
  })
}

test('a client that sends one message after another does not make the next wait longer and longer', async () => {
  const pace = new BlockPace()
  const blockMs = 19
  const { send, after, fire, batches, now } = await makePaced({ blockIntervalMs: () => pace.intervalMs })
  pace.onBlock(now())
  let tookMs = 0
  for (let number = 0; number < 50; number++) {
    const sentMs = now()
    await send(number)
    await fire()
    assert.equal(batches.length, number + 1)
    await after(blockMs)
    pace.onBlock(now())
    tookMs = now() - sentMs
  }
  assert.equal(tookMs, blockMs)
})

test('a full batch goes at once, also where less of it was waiting', async () => {
  const { send, after, batches } = await makePaced({ maxBytes: 1_000 })
  await send(0)
  await after(0)
  await send(1, 10)
  await after(0)
  assert.equal(batches.length, 1)
  await send(2, 990)
  await after(0)
  assert.equal(batches.length, 3, 'each in a batch of its own: together they are too large')
})
