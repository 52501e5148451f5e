// A fuzzer guided by coverage: V8 tells which blocks of our source ran, and an input that reached new ones is kept to make
// others of. One seed gives one series of inputs, as long as the source stays as it is.
import assert from 'node:assert/strict'
import { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { Random } from '../../src/simulation/random.ts'

export interface FuzzTarget {
  readonly name: string
  /** Real inputs to begin with. */
  readonly corpus: readonly Uint8Array[]
  /** Throws where the code under test fails. */
  readonly run: (input: Uint8Array) => void | Promise<void>
}

export interface FuzzResult {
  readonly runs: number
  /** Inputs kept, the corpus among them. */
  readonly kept: number
  /** Blocks of source reached. */
  readonly blocks: number
}

const source = fileURLToPath(new URL('../../src/', import.meta.url))
const batchSize = 32
const keptMax = 2_000
const inputBytesMax = 64 * 1024
/** What one batch of inputs of at most that size may leave on the heap before anything is collected. */
const heapBytesMax = 256 * 1024 * 1024

/** @param runs inputs to try. Fails with the input, in hex, that the target throws at. */
export async function fuzz(
  target: FuzzTarget,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Promise<FuzzResult> {
  const random = Random.stream(seed, target.name)
  const coverage = new Coverage()
  const kept = [...target.corpus]
  try {
    for (const input of target.corpus) await tried(target, input)
    coverage.hasGrown()
    for (let done = 0; done < runs; done += batchSize) {
      const inputs = Array.from({ length: batchSize }, () => mutated(kept, random))
      const before = process.memoryUsage()
      for (const input of inputs) await tried(target, input)
      const after = process.memoryUsage()
      const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
      assert.ok(grownBytes < heapBytesMax, `${target.name}: ${batchSize} inputs left ${grownBytes} bytes`)
      if (!coverage.hasGrown()) continue
      // Which of them it was matters little: all of the batch are kept, and few batches are.
      kept.push(...inputs)
      if (kept.length > keptMax) kept.splice(target.corpus.length, kept.length - keptMax)
    }
    return { runs, kept: kept.length, blocks: coverage.size }
  } finally {
    coverage.stop()
  }
}

async function tried({ name, run }: FuzzTarget, input: Uint8Array): Promise<void> {
  try {
    await run(input)
  } catch (error) {
    const hex = Buffer.from(input).toString('hex')
    throw new Error(`${name} fails at ${input.length} bytes: ${hex}`, { cause: error })
  }
}

class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get size(): number {
    return this.#seen.size
  }

  /** Whether something of our source ran for the first time since the last call. */
  hasGrown(): boolean {
    const before = this.#seen.size
    this.#session.post('Profiler.takePreciseCoverage', (error, found) => {
      if (error !== null) throw error
      for (const { url, functions } of found.result) {
        if (!url.startsWith('file:') || !fileURLToPath(url).startsWith(source)) continue
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0) this.#seen.add(`${url}:${startOffset}-${endOffset}`)
        }
      }
    })
    return this.#seen.size > before
  }

  stop(): void {
    this.#session.disconnect()
  }
}

/** One to four changes of an input that is known. */
function mutated(kept: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Uint8Array.from(random.pick(kept))
  const changes = random.between(1, 4)
  for (let change = 0; change < changes; change++) bytes = random.pick(mutations)(bytes, random, kept)
  return bytes.subarray(0, inputBytesMax)
}

type Mutate = (
  bytes: Uint8Array<ArrayBuffer>,
  random: Random,
  kept: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>

const oddBytes = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x7b, 0x2c, 0x30]
const oddNumbers = [0, 1, 2, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

const mutations: readonly Mutate[] = [
  (bytes, random) => withByte(bytes, random, (byte) => byte ^ (1 << random.between(0, 7))),
  (bytes, random) => withByte(bytes, random, () => random.pick(oddBytes)),
  (bytes, random) => withByte(bytes, random, () => random.between(0, 255)),
  (bytes, random) => withByte(bytes, random, (byte) => byte + random.pick([-1, 1])),
  // A length or a number.
  (bytes, random) => {
    if (bytes.length < 4) return bytes
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const at = random.between(0, bytes.length - 4)
    const value = random.chance(0.5) ? random.pick(oddNumbers) : view.getUint32(at) + random.between(-2, 2)
    view.setUint32(at, value >>> 0)
    return bytes
  },
  // Cut short.
  (bytes, random) => bytes.slice(0, random.between(0, bytes.length)),
  // A part taken out, doubled, or put in from another input.
  (bytes, random) => {
    const [from, to] = partOf(bytes, random)
    return joined(bytes.subarray(0, from), bytes.subarray(to))
  },
  (bytes, random) => {
    const [from, to] = partOf(bytes, random)
    return joined(bytes.subarray(0, to), bytes.subarray(from))
  },
  (bytes, random, kept) => {
    const other = Uint8Array.from(random.pick(kept))
    const [from, to] = partOf(other, random)
    const at = random.between(0, bytes.length)
    const end = random.chance(0.5) ? at : Math.min(bytes.length, at + to - from)
    return joined(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(end))
  },
  (bytes, random) => joined(bytes, random.bytes(random.between(1, 40))),
]

function withByte(
  bytes: Uint8Array<ArrayBuffer>,
  random: Random,
  change: (byte: number) => number,
): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes
  const at = random.between(0, bytes.length - 1)
  bytes[at] = change(bytes[at] ?? 0)
  return bytes
}

function partOf(bytes: Uint8Array, random: Random): readonly [number, number] {
  const from = random.between(0, bytes.length)
  return [from, Math.min(bytes.length, from + random.pick([1, 2, 4, 8, 32, 64, 300]))]
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts))
}
