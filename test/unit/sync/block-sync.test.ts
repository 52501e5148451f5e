import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BlockSync, type ReceivedBlock, waitingMaxBytes } from '../../../src/sync/index.ts'
import type { Height, PeerId } from '../../../src/types/index.ts'

const [honest, liar] = ['honest', 'liar'] as PeerId[] as [PeerId, PeerId]

/** Block sync of a node at genesis; an honest peer has blocks up to `height`, what others send is up to the test. */
function aSync(height: Height, sends: (from: Height) => AsyncIterable<ReceivedBlock> = nothing) {
  const state = {
    tip: 0,
    nowMs: 0,
    connected: [honest, liar] as PeerId[],
    honestAsks: 0,
    applying: nobody,
    verifyingAhead: nobody as (height: Height, previous: Height | undefined) => Promise<void>,
  }
  const sync = new BlockSync({
    tipHeight: () => state.tip,
    downloadBlocks: (peer, { from, count }) => {
      if (peer !== honest) return sends(from)
      state.honestAsks += 1
      return blocks(from, Math.min(height, from + count - 1))
    },
    applyBlock: async ({ block }) => {
      if (block.header.height <= state.tip) return 'stale'
      assert.equal(block.header.height, state.tip + 1)
      await state.applying()
      state.tip += 1
      return 'applied'
    },
    verifyAhead: ({ block }, previous) => state.verifyingAhead(block.header.height, previous?.header.height),
    reportPeer: () => {},
    connectedPeers: () => state.connected,
    nowMs: () => state.nowMs,
  })
  return { sync, state }
}

async function* blocks(from: Height, to: Height, sizeBytes = 1_000): AsyncGenerator<ReceivedBlock> {
  for (let height = from; height <= to; height++) yield aBlock(height, sizeBytes)
}

function aBlock(height: Height, sizeBytes: number): ReceivedBlock {
  const batches = [{ bytes: { length: sizeBytes }, messages: [] }]
  const block = { header: { height }, commitments: [] }
  return { block, finalization: { signatures: [] }, batches } as unknown as ReceivedBlock
}

async function nobody(): Promise<void> {}

/** The liar's 64 blocks are all here before the first of them is applied. */
async function fetchesThenApplies({ sync, state }: ReturnType<typeof aSync>): Promise<void> {
  const all = aGate()
  state.applying = () => all.opened
  sync.onPeerHeight(liar, 64)
  await settled()
  all.open()
  await settled()
}

/** Holds up whoever waits at it, until it is opened. */
function aGate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

async function* nothing(): AsyncGenerator<ReceivedBlock> {}

async function settled(): Promise<void> {
  for (let round = 0; round < 50; round++) await turn()
}

test('a peer that claims heights that nobody has does not hold up the blocks that others have', async () => {
  const { sync, state } = aSync(40)
  sync.onPeerHeight(liar, 1_000_000_000)
  for (let status = 0; status < 5; status++) {
    sync.onPeerHeight(honest, 40)
    await settled()
    state.nowMs += 10_000
  }
  assert.equal(state.tip, 40)
})

test('a peer that sends block after block, but slowly, is not waited for where another is there', async () => {
  const clock = { pass: (_ms: number) => {} }
  const { sync, state } = aSync(32, async function* (from) {
    for await (const block of blocks(from, 32)) {
      clock.pass(19_000)
      yield block
    }
  })
  clock.pass = (ms) => {
    state.nowMs += ms
  }
  sync.onPeerHeight(liar, 32)
  sync.onPeerHeight(honest, 32)
  await settled()
  assert.equal(state.tip, 32)
  assert.ok(state.nowMs <= 60_000, `it took ${state.nowMs} ms`)
})

test('peers that are gone are forgotten, however many come and go', async () => {
  const { sync, state } = aSync(0)
  for (let number = 0; number < 1_000; number++) {
    const peer = `peer ${number}` as PeerId
    state.connected = [peer]
    sync.onPeerHeight(peer, 1_000 - number)
  }
  await settled()
  assert.equal(sync.sourceCount, 1)
})

test('a clock that steps back does not shut out a peer for longer than it was to be left alone', async () => {
  const { sync, state } = aSync(8)
  state.nowMs = 1_000_000
  sync.onPeerHeight(honest, 9)
  await settled()
  assert.equal(state.tip, 8)
  const { honestAsks } = state
  state.nowMs = 0
  sync.onPeerHeight(honest, 9)
  await settled()
  assert.ok(state.honestAsks > honestAsks)
})

test('a peer that holds up the next blocks is not waited for where one is free that brought some before', async () => {
  const { sync, state } = aSync(200, async function* () {
    await new Promise(() => {})
  })
  sync.onPeerHeight(liar, 200)
  sync.onPeerHeight(honest, 200)
  await settled()
  assert.equal(state.tip, 0, 'the liar was first and has the first blocks to bring')
  state.nowMs += 1_000
  sync.onPeerHeight(honest, 200)
  await settled()
  assert.equal(state.tip, 0, 'a slow line gets its time')
  state.nowMs += 2_000
  sync.onPeerHeight(honest, 200)
  await settled()
  assert.equal(state.tip, 200)
})

test('who brings blocks late, when another has brought them, does no harm', async () => {
  let release = () => {}
  const { sync, state } = aSync(200, async function* (from) {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    yield* blocks(from, from + 31)
  })
  sync.onPeerHeight(liar, 200)
  sync.onPeerHeight(honest, 100)
  await settled()
  state.nowMs += 3_000
  sync.onPeerHeight(honest, 100)
  await settled()
  assert.equal(state.tip, 100)
  release()
  sync.onPeerHeight(honest, 200)
  await settled()
  // The liar has got some more to bring.
  state.nowMs += 3_000
  sync.onPeerHeight(honest, 200)
  await settled()
  assert.equal(state.tip, 200)
})

test('a block is applied while those after it are still on their way', async () => {
  const rest = aGate()
  const { sync, state } = aSync(0, async function* () {
    yield* blocks(1, 2)
    await rest.opened
    yield* blocks(3, 32)
  })
  sync.onPeerHeight(liar, 32)
  await settled()
  assert.equal(state.tip, 2)
  rest.open()
  await settled()
  assert.equal(state.tip, 32)
})

test('no more is taken from a peer than may wait to be applied, and it is taken when there is room again', async () => {
  const gate = aGate()
  const sizeBytes = waitingMaxBytes / 4
  let sent = 0
  const { sync, state } = aSync(0, async function* (from) {
    for await (const block of blocks(from, 32, sizeBytes)) {
      sent += 1
      yield block
    }
  })
  state.applying = () => gate.opened
  sync.onPeerHeight(liar, 32)
  await settled()
  assert.deepEqual([sent, state.tip], [4, 0])
  gate.open()
  await settled()
  assert.deepEqual([sent, state.tip], [32, 32], 'each was asked for once')
})

test('of later blocks no more are taken than may wait, and the rest is asked for when there is room', async () => {
  const first = aGate()
  const asked: Height[] = []
  let later = 0
  const { sync, state } = aSync(0, async function* (from) {
    asked.push(from)
    if (from === 1) await first.opened
    for await (const block of blocks(from, from === 1 ? 32 : 64, from === 1 ? 1_000 : waitingMaxBytes / 4)) {
      later += from === 1 ? 0 : 1
      yield block
    }
  })
  const second = 'second' as PeerId
  state.connected.push(second)
  for (const peer of [liar, second, second]) {
    sync.onPeerHeight(peer, 64)
    await settled()
  }
  assert.deepEqual([state.tip, asked, later], [0, [1, 33], 4])
  first.open()
  await settled()
  assert.equal(state.tip, 64, 'the second peer was left alone for nothing')
  assert.equal(later, 32)
  assert.deepEqual(asked.slice(0, 3), [1, 33, 37])
})

test('a peer that keeps the next block back again and again is not waited for longer than one that never brings it', async () => {
  const turns = [aGate(), aGate(), aGate()]
  const { sync, state } = aSync(200, async function* (from) {
    for (const [at, gate] of turns.entries()) {
      await gate.opened
      yield aBlock(from + at, 1_000)
    }
    await new Promise(() => {})
  })
  sync.onPeerHeight(liar, 200)
  sync.onPeerHeight(honest, 200)
  await settled()
  for (const gate of turns) {
    state.nowMs += 900
    sync.onPeerHeight(honest, 200)
    gate.open()
    await settled()
  }
  assert.equal(state.tip, 200, 'the time that it took is counted together')
})

test('far behind, what waits is verified ahead, each after the one before it, and applied after that', async () => {
  const gate = aGate()
  const { sync, state } = aSync(0, (from) => blocks(from, from + 31))
  const ahead: [Height, Height | undefined][] = []
  state.verifyingAhead = (height, previous) => {
    ahead.push([height, previous])
    return height === 5 ? gate.opened : Promise.resolve()
  }
  await fetchesThenApplies({ sync, state })
  assert.equal(state.tip, 4, 'block 5 is not verified yet')
  gate.open()
  await settled()
  assert.equal(state.tip, 64)
  // The first one is applied at once; and the second range is of another request.
  const expected = Array.from({ length: 63 }, (_, at) => [at + 2, at + 2 === 33 ? undefined : at + 1])
  assert.deepEqual(ahead, expected)
})

test('few blocks are verified ahead at a time, the next ones first, and none that were dropped', async () => {
  const gate = aGate()
  const { sync, state } = aSync(0, (from) => blocks(from, from + 31))
  const ahead: Height[] = []
  state.verifyingAhead = (height) => {
    ahead.push(height)
    return gate.opened
  }
  const refusing = aGate()
  state.applying = async () => {
    await refusing.opened
    state.tip = 1_000
  }
  sync.onPeerHeight(liar, 64)
  await settled()
  assert.deepEqual(ahead, [2, 3, 4, 5])
  // By voting, say.
  refusing.open()
  await settled()
  gate.open()
  await settled()
  assert.deepEqual(ahead, [2, 3, 4, 5])
})

test('what cannot be verified ahead is applied all the same', async () => {
  const { sync, state } = aSync(0, (from) => blocks(from, from + 31))
  state.verifyingAhead = () => Promise.reject(new Error('no thread'))
  await fetchesThenApplies({ sync, state })
  assert.equal(state.tip, 64)
})

test('small messages count for what they take up in memory', async () => {
  const messages = Array.from({ length: 20_000 }, () => ({}))
  let sent = 0
  const { sync, state } = aSync(0, async function* () {
    for (let height = 1; height <= 32; height++) {
      sent += 1
      const { block, finalization } = aBlock(height, 0)
      yield {
        block,
        finalization,
        batches: [{ bytes: new Uint8Array(9), messages }],
      } as unknown as ReceivedBlock
    }
  })
  state.applying = () => new Promise(() => {})
  sync.onPeerHeight(liar, 32)
  await settled()
  assert.equal(sent, Math.ceil(waitingMaxBytes / (20_000 * 300)))
})

test('who misses a few blocks verifies none of them ahead', async () => {
  const { sync, state } = aSync(0, (from) => blocks(from, from + 31))
  state.verifyingAhead = () => assert.fail('verified ahead')
  sync.onPeerHeight(liar, 32)
  await settled()
  assert.equal(state.tip, 32)
})

test('a block that is verified when the node stops is not applied', async () => {
  const gate = aGate()
  const { sync, state } = aSync(0, (from) => blocks(from, from + 31))
  state.verifyingAhead = () => gate.opened
  await fetchesThenApplies({ sync, state })
  assert.equal(state.tip, 1)
  sync.stop()
  gate.open()
  await settled()
  assert.equal(state.tip, 1)
})
