// SHA-256 of four messages at a time, for many short ones of one length, such as the branches of a trie. One call of
// Node's hash costs over a microsecond before it hashes anything; this has no such price, and a vector instruction does the
// step of four messages at once. It is a WebAssembly module that is written out here, instruction by instruction, from the
// rounds of FIPS 180-4, so it needs no compiler and nobody has to trust a binary.

export const LANES = 4
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const VECTOR_BYTES = 16

/** FIPS 180-4, 4.2.2: of the cube roots of the first 64 primes, 32 bits of the fraction; 5.3.3: of the square roots. */
const ROUND_CONSTANTS = primes(64).map((prime) => fractionBits(Math.cbrt(prime), prime, 3))
const INITIAL_STATE = primes(8).map((prime) => fractionBits(Math.sqrt(prime), prime, 2))

/** What is used of the WebAssembly JavaScript interface; neither the language's types nor Node's have it. */
interface WebAssemblyApi {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
}

/** Hashes four messages of the same number of blocks, padded by the caller (`padInto`). */
export interface Sha256Lanes {
  /** Room for message `lane` (0 to 3): `blocks` times 64 bytes. To be written again or left as it is between calls. */
  readonly inputs: readonly Uint8Array[]
  /** 32 bytes for each lane, one after another, after `run`. */
  readonly digests: Uint8Array
  run(): void
}

/** By the number of blocks: compiled once, whoever asks. */
const modules = new Map<number, object>()

/** @param blocks 64-byte blocks of each message, 1 to 64. */
export function createSha256Lanes(blocks: number): Sha256Lanes {
  if (!Number.isInteger(blocks) || blocks < 1 || blocks > 64) {
    throw new RangeError(`a message has 1 to 64 blocks here, not ${blocks}`)
  }
  const laneBytes = blocks * BLOCK_BYTES
  const inputsAt = ROUND_CONSTANTS.length * VECTOR_BYTES
  const digestsAt = inputsAt + LANES * laneBytes
  const wasm: WebAssemblyApi = Reflect.get(globalThis, 'WebAssembly')
  const memory = new wasm.Memory({ initial: 1 })
  const view = new DataView(memory.buffer)
  for (const [round, constant] of ROUND_CONSTANTS.entries()) {
    for (let lane = 0; lane < LANES; lane += 1)
      view.setUint32(round * VECTOR_BYTES + 4 * lane, constant, true)
  }
  let module = modules.get(blocks)
  if (module === undefined) {
    module = new wasm.Module(moduleBytes({ inputsAt, laneBytes, digestsAt, blocks }))
    modules.set(blocks, module)
  }
  const { run } = new wasm.Instance(module, { e: { m: memory } }).exports
  if (typeof run !== 'function') throw new TypeError('the module has no function to run')
  const part = (at: number, length: number) => new Uint8Array(memory.buffer, at, length)
  return {
    inputs: Array.from({ length: LANES }, (_, lane) => part(inputsAt + lane * laneBytes, laneBytes)),
    digests: part(digestsAt, LANES * DIGEST_BYTES),
    run: () => run(),
  }
}

/** Blocks that a message of so many bytes takes with its padding. */
export function blocksOf(messageBytes: number): number {
  return Math.ceil((messageBytes + 9) / BLOCK_BYTES)
}

/** Pads the message that stands at the beginning of `input` (FIPS 180-4, 5.1.1). */
export function padInto(input: Uint8Array, messageBytes: number): void {
  input.fill(0, messageBytes)
  input[messageBytes] = 0x80
  new DataView(input.buffer, input.byteOffset).setUint32(input.length - 4, messageBytes * 8)
}

function primes(count: number): number[] {
  const found: number[] = []
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate)
  }
  return found
}

/** The first 32 bits of the fraction of a root of a prime, made exact in integers from the one that floats give. */
function fractionBits(root: number, prime: number, degree: number): number {
  const scaled = BigInt(prime) << BigInt(32 * degree)
  let exact = BigInt(Math.floor(root * 2 ** 32))
  while (exact ** BigInt(degree) > scaled) exact -= 1n
  while ((exact + 1n) ** BigInt(degree) <= scaled) exact += 1n
  return Number(exact & 0xffffffffn)
}

// The module. Instructions by the names of the WebAssembly specification.

interface Layout {
  readonly inputsAt: number
  readonly laneBytes: number
  readonly digestsAt: number
  readonly blocks: number
}

const V128 = 0x7b
const OPCODES = {
  'v128.load': [0xfd, 0x00],
  'v128.store': [0xfd, 0x0b],
  'i8x16.shuffle': [0xfd, 0x0d],
  'i32x4.splat': [0xfd, 0x11],
  'v128.xor': [0xfd, 0x51],
  'v128.or': [0xfd, 0x50],
  'v128.bitselect': [0xfd, 0x52],
  'i32x4.shl': [0xfd, 0xab, 0x01],
  'i32x4.shr_u': [0xfd, 0xad, 0x01],
  'i32x4.add': [0xfd, 0xae, 0x01],
  'local.get': [0x20],
  'local.set': [0x21],
  'local.tee': [0x22],
  'i32.const': [0x41],
  end: [0x0b],
} as const

class Code {
  readonly bytes: number[] = []

  op(name: keyof typeof OPCODES, ...immediates: readonly number[]): this {
    this.bytes.push(...OPCODES[name], ...immediates)
    return this
  }

  get(local: number): this {
    return this.op('local.get', local)
  }

  set(local: number): this {
    return this.op('local.set', local)
  }

  constant(value: number): this {
    return this.op('i32.const', ...signed(value))
  }

  /** The vector at an address; alignment is a hint, and the addresses here have any. */
  load(address: number): this {
    return this.constant(0).op('v128.load', 0, ...unsigned(address))
  }

  /** Rotates the local to the right by `count` bits. */
  rotated(local: number, count: number): this {
    this.get(local).constant(count).op('i32x4.shr_u')
    this.get(local)
      .constant(32 - count)
      .op('i32x4.shl')
    return this.op('v128.or')
  }

  /** FIPS 180-4, 4.1.2: two rotations, and a third rotation or a shift. */
  sigma(local: number, [first, second, third]: readonly [number, number, number], isShift: boolean): this {
    this.rotated(local, first).rotated(local, second).op('v128.xor')
    if (isShift) this.get(local).constant(third).op('i32x4.shr_u')
    else this.rotated(local, third)
    return this.op('v128.xor')
  }
}

// Locals: the state, what it was before the block, and the last sixteen words of the message schedule, of four lanes each.
const STATE = 0
const BEFORE = 8
const SCHEDULE = 16
const SCRATCH = 32
const LOCAL_COUNT = 37

function moduleBytes(layout: Layout): Uint8Array<ArrayBuffer> {
  const body = new Code()
  for (const [at, word] of INITIAL_STATE.entries())
    body
      .constant(word | 0)
      .op('i32x4.splat')
      .set(STATE + at)
  for (let block = 0; block < layout.blocks; block += 1) {
    for (let at = 0; at < 8; at += 1) body.get(STATE + at).set(BEFORE + at)
    loadWords(body, layout, block)
    for (let round = 0; round < ROUND_CONSTANTS.length; round += 1) addRound(body, round)
    for (let at = 0; at < 8; at += 1)
      body
        .get(BEFORE + at)
        .get(STATE + at)
        .op('i32x4.add')
        .set(STATE + at)
  }
  storeDigests(body, layout)
  body.op('end')

  const locals = [1, ...unsigned(LOCAL_COUNT), V128]
  const code = [...locals, ...body.bytes]
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 0x02, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0x00, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}

/** Bytes of a vector in the other order within each word: the words of a message are big-endian. */
const SWAPPED = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]

/** The sixteen words of a block: four vectors of one lane become four of one word. */
function loadWords(body: Code, { inputsAt, laneBytes }: Layout, block: number): void {
  for (let quarter = 0; quarter < 4; quarter += 1) {
    for (let lane = 0; lane < LANES; lane += 1) {
      const address = inputsAt + lane * laneBytes + block * BLOCK_BYTES + quarter * VECTOR_BYTES
      body.load(address).load(address)
      body.op('i8x16.shuffle', ...SWAPPED).set(SCRATCH + lane)
    }
    transpose(
      body,
      [0, 1, 2, 3].map((word) => SCHEDULE + 4 * quarter + word),
    )
  }
}

/** The first four scratch locals, as the rows of a square of words, into its columns. */
function transpose(body: Code, columns: readonly number[]): void {
  const words = (...indices: readonly number[]) =>
    indices.flatMap((index) => [0, 1, 2, 3].map((byte) => 4 * index + byte))
  const shuffled = (a: number, b: number, indices: readonly number[]) =>
    body
      .get(SCRATCH + a)
      .get(SCRATCH + b)
      .op('i8x16.shuffle', ...words(...indices))
  for (const [at, column] of columns.entries()) {
    // Words `at` of rows 0 and 1, then of rows 2 and 3, then both pairs.
    shuffled(0, 1, [at, 4 + at, at, 4 + at])
    shuffled(2, 3, [at, 4 + at, at, 4 + at])
    body.op('i8x16.shuffle', ...words(0, 1, 4, 5)).set(column)
  }
}

/** FIPS 180-4, 6.2.2. The letters move from local to local by their numbers, not by copies. */
function addRound(body: Code, round: number): void {
  const letter = (index: number) => STATE + ((index - round + 64) & 7)
  const [a, b, c, d] = [letter(0), letter(1), letter(2), letter(3)]
  const [e, f, g, h] = [letter(4), letter(5), letter(6), letter(7)]
  const word = (back: number) => SCHEDULE + ((round - back) & 15)
  if (round >= 16) {
    body.get(word(16)).sigma(word(15), [7, 18, 3], true).op('i32x4.add')
    body.get(word(7)).op('i32x4.add')
    body.sigma(word(2), [17, 19, 10], true).op('i32x4.add').set(word(16))
  }
  const own = SCHEDULE + (round & 15)
  // T1 = h + Σ1(e) + Ch(e, f, g) + K + W
  body.get(h).get(own).op('i32x4.add')
  body.load(round * VECTOR_BYTES).op('i32x4.add')
  body.sigma(e, [6, 11, 25], false).op('i32x4.add')
  body.get(f).get(g).get(e).op('v128.bitselect').op('i32x4.add')
  body.set(SCRATCH)
  // d + T1 is the new e; T1 + Σ0(a) + Maj(a, b, c) the new a.
  body.get(d).get(SCRATCH).op('i32x4.add').set(d)
  body.get(SCRATCH).sigma(a, [2, 13, 22], false).op('i32x4.add')
  body.get(c).get(b).get(a).get(b).op('v128.xor').op('v128.bitselect').op('i32x4.add').set(h)
}

function storeDigests(body: Code, { digestsAt }: Layout): void {
  for (const half of [0, 1]) {
    for (let word = 0; word < 4; word += 1) {
      const local = STATE + 4 * half + word
      body
        .get(local)
        .get(local)
        .op('i8x16.shuffle', ...SWAPPED)
        .set(SCRATCH + word)
    }
    transpose(body, [SCHEDULE, SCHEDULE + 1, SCHEDULE + 2, SCHEDULE + 3])
    for (let lane = 0; lane < LANES; lane += 1) {
      const address = digestsAt + lane * DIGEST_BYTES + half * VECTOR_BYTES
      body.constant(0).get(SCHEDULE + lane)
      body.op('v128.store', 0, ...unsigned(address))
    }
  }
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return bytes
}

function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const low = rest & 0x7f
    rest >>= 7
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
    bytes.push(isLast ? low : low | 0x80)
    if (isLast) return bytes
  }
}
