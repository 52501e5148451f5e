// Block sync where bringing and applying blocks takes time, which passes only when nothing else is left to do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BlockSync, type ReceivedBlock, waitingMaxBytes } from '../../../src/sync/index.ts'
import type { Height, PeerId } from '../../../src/types/index.ts'
import { Random } from '../../support/random.ts'

const statusMs = 2_000
/** Of the request protocol. */
const silenceMs = 20_000

class World {
  nowMs = 0
  tip = 0
  connected: string[] = []
  /** When a range was asked for, of whom and from where. */
  readonly asked: { readonly atMs: number; readonly peer: string; readonly from: Height }[] = []
  readonly sync: BlockSync
  readonly #timers: { readonly atMs: number; readonly wake: () => void }[] = []
  readonly #target: Height

  /** @param options.delayMs before each block; infinite: nothing comes, and the request fails. */
  constructor(options: {
    target: Height
    sizeBytes?: number
    applyMs?: number
    delayMs: (peer: string, height: Height) => number
  }) {
    const { target, sizeBytes = 1_000, applyMs = 1, delayMs } = options
    this.#target = target
    const bring = (peer: string, { from, count }: { from: Height; count: number }) =>
      this.#bring({ peer, from, end: Math.min(from + count, target + 1), sizeBytes, delayMs })
    this.sync = new BlockSync({
      tipHeight: () => this.tip,
      downloadBlocks: bring,
      applyBlock: async ({ block }) => {
        await this.#pass(applyMs)
        if (block.header.height <= this.tip) return 'stale'
        assert.equal(block.header.height, this.tip + 1)
        this.tip += 1
        return 'applied'
      },
      reportPeer: (peer) => assert.fail(`${peer} is blamed`),
      connectedPeers: () => this.connected as PeerId[],
      nowMs: () => this.nowMs,
    })
  }

  /** Until the target is reached or the time is over; who is connected tells its status every two seconds. */
  async run(forMs: number, heightOf: (peer: string) => Height = () => this.#target): Promise<void> {
    const endMs = this.nowMs + forMs
    for (let nextMs = this.nowMs; this.nowMs < endMs && this.tip < this.#target; ) {
      for (let round = 0; round < 8; round++) await turn()
      if (this.nowMs >= nextMs) {
        for (const peer of this.connected) this.sync.onPeerHeight(peer as PeerId, heightOf(peer))
        nextMs += statusMs
        continue
      }
      this.#timers.sort((a, b) => a.atMs - b.atMs)
      const [timer] = this.#timers
      if (timer === undefined || timer.atMs > nextMs) {
        this.nowMs = nextMs
        continue
      }
      this.#timers.shift()
      this.nowMs = Math.max(this.nowMs, timer.atMs)
      timer.wake()
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((wake) => this.#timers.push({ atMs: this.nowMs + ms, wake }))
  }

  async *#bring({
    peer,
    from,
    end,
    sizeBytes,
    delayMs,
  }: {
    peer: string
    from: Height
    end: Height
    sizeBytes: number
    delayMs: (peer: string, height: Height) => number
  }): AsyncGenerator<ReceivedBlock> {
    this.asked.push({ atMs: this.nowMs, peer, from })
    for (let height = from; height < end; height++) {
      const ms = delayMs(peer, height)
      await this.#pass(Math.min(ms, silenceMs))
      if (ms > silenceMs) throw new Error('timeout')
      const block = { header: { height }, commitments: [] }
      const batches = [{ bytes: { length: sizeBytes }, messages: [] }]
      yield { block, finalization: { signatures: [] }, batches } as unknown as ReceivedBlock
    }
  }
}

for (const blockMs of [1_500, 2_100, 4_500]) {
  test(`peers that all need ${blockMs} ms for a block are not slower together than one alone`, async () => {
    const world = new World({ target: 96, delayMs: () => blockMs })
    world.connected = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    await world.run(96 * blockMs)
    assert.equal(world.tip, 96)
  })
}

test('identities that were never asked do not keep blocks from coming of those that have brought some', async () => {
  const liars = Array.from({ length: 100 }, (_, at) => `liar ${at}`)
  let hasFailed = false
  const world = new World({
    target: 640,
    delayMs: (peer, height) => {
      if (peer.startsWith('liar')) return Number.POSITIVE_INFINITY
      // Each honest peer fails once, which others hold against it.
      return !hasFailed && (height === 33 || height === 65) ? Number.POSITIVE_INFINITY : 5
    },
  })
  world.connected = ['honest', 'too']
  await world.run(30_000, () => 100)
  assert.equal(world.tip, 32)
  hasFailed = true
  // A new one every six seconds.
  for (let next = 0; next < 20 && world.tip < 640; next++) {
    world.connected = ['honest', 'too', ...liars.slice(next, next + 6)]
    await world.run(6_000)
  }
  assert.equal(world.tip, 640)
})

test('a peer is not left alone because this node applies blocks slowly', async () => {
  const world = new World({ target: 64, sizeBytes: waitingMaxBytes / 4, applyMs: 3_000, delayMs: () => 5 })
  world.connected = ['honest']
  await world.run(400_000)
  assert.equal(world.tip, 64)
  assert.deepEqual(
    world.asked.map(({ from }) => from),
    [1, 33],
  )
})

/** How long peers of each kind need for a block. */
const manners: Readonly<Record<string, (random: Random) => number>> = {
  quick: () => 5,
  uneven: (random) => random.below(3_000),
  silent: () => Number.POSITIVE_INFINITY,
  dripping: () => 1_900,
  failing: (random) => (random.chance(0.2) ? Number.POSITIVE_INFINITY : 20),
}

test('whatever peers there are, one that is quick is enough, and heights come in order, each once', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = new Random(seed)
    const world = new World({
      target: 300,
      sizeBytes: random.chance(0.5) ? waitingMaxBytes / 6 : 2_000,
      applyMs: random.below(200),
      delayMs: (peer) => manners[peer.split(' ')[0] ?? '']?.(random) ?? 0,
    })
    const kinds = Array.from({ length: random.below(6) }, () => random.pick(Object.keys(manners)))
    world.connected = kinds.map((kind, at) => `${kind} ${at}`)
    world.connected.splice(random.below(kinds.length + 1), 0, 'quick one')
    await world.run(10 * 60_000)
    assert.equal(world.tip, 300, `seed ${seed}: ${world.connected.join(', ')}`)
  }
})
