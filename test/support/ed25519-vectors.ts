// Makes test/vectors/ed25519-strict.json: signatures on which Ed25519 implementations disagree, with the verdict of
// the one rule of protocol §2. Each verdict follows from how the signature was made, no verifier is asked:
// A = a·B + T(i), R = r·B + T(j), S = r + k·a, where T(n) is n times a point of order 8. Then S·B − k·A = R holds
// exactly if j + k·i is divisible by 8.
// Run: node test/support/ed25519-vectors.ts > test/vectors/ed25519-strict.json
import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'

const { Point } = ed25519
const order = Point.Fn.ORDER
const fieldPrime = 2n ** 255n - 19n
const torsionGenerator = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
const triesMax = 2000

interface Vector {
  readonly name: string
  readonly publicKeyHex: string
  readonly messageHex: string
  readonly signatureHex: string
  readonly valid: boolean
  readonly why: string
}

interface Parts {
  /** The secret scalar, 0 for a key of small order. */
  readonly a?: bigint
  /** The torsion part of A, in steps of the generator. */
  readonly i?: number
  readonly r?: bigint
  readonly j?: number
  /** In place of the canonical encodings. */
  readonly encodedA?: string
  readonly encodedR?: string
  /** What is added to S. */
  readonly excess?: bigint
}

interface Made extends Omit<Vector, 'name' | 'why' | 'valid'> {
  /** Whether the equation holds with k reduced, and with k as it comes out of the hash. */
  readonly holds: boolean
  readonly holdsUnreduced: boolean
}

const defaultA = scalarFrom('secret key of the vectors')
const defaultR = scalarFrom('nonce of the vectors')
const vectors: Vector[] = []

addPlain()
addScalars()
addTorsion()
addKeysOfSmallOrder()
addNoncesOfSmallOrder()
addOffCurve()
process.stdout.write(`${JSON.stringify({ rule: rule(), vectors }, undefined, 2)}\n`)

function rule(): string {
  return (
    'valid: A and R canonical, A not of small order, S < L, and S·B − k·A = R without cofactor, ' +
    'k = SHA-512(R ‖ A ‖ message) modulo L'
  )
}

function addPlain(): void {
  for (const length of [0, 1, 200]) {
    const made = make(new Uint8Array(length).fill(0x5a), {})
    add({ name: `plain, ${length} bytes`, made, valid: true, why: 'an ordinary signature' })
    const other = { ...made, messageHex: `${made.messageHex}00` }
    add({
      name: `plain, ${length} bytes and one more`,
      made: other,
      valid: false,
      why: 'not the message signed',
    })
  }
}

function addScalars(): void {
  for (const multiple of [1n, 2n, 8n, 14n]) {
    const made = make(numbered(0), { excess: multiple * order })
    add({
      name: `S + ${multiple}·L`,
      made,
      valid: false,
      why: 'S is not below L: a second form of a good signature',
    })
  }
  const negated = make(numbered(0), {})
  const s = integerOf(Buffer.from(negated.signatureHex.slice(64), 'hex'))
  const flipped = { ...negated, signatureHex: negated.signatureHex.slice(0, 64) + hexOf(order - s) }
  add({ name: 'L − S', made: flipped, valid: false, why: 'the equation does not hold' })
}

function addTorsion(): void {
  for (const i of [1, 2, 3, 4, 5, 6, 7]) {
    const parts = { i }
    add({
      name: `A + T(${i}), k a multiple that takes it away`,
      made: search(parts, (made) => made.holds),
      valid: true,
      why: 'the equation holds as it stands',
    })
    add({
      name: `A + T(${i}), k leaves a torsion part`,
      made: search(parts, (made) => !made.holds),
      valid: false,
      why: 'holds only times the cofactor',
    })
  }
  for (const j of [1, 2, 4, 6]) {
    const made = search({ j }, () => true)
    add({ name: `R + T(${j})`, made, valid: false, why: 'holds only times the cofactor' })
  }
  for (const [i, j] of [
    [1, 3],
    [2, 6],
    [3, 5],
    [4, 4],
    [7, 1],
  ] as const) {
    const parts = { i, j }
    const cancelling = search(parts, (made) => made.holds)
    add({
      name: `A + T(${i}), R + T(${j}), equal`,
      made: cancelling,
      valid: true,
      why: 'the torsion parts cancel',
    })
    const left = search(parts, (made) => !made.holds)
    add({
      name: `A + T(${i}), R + T(${j}), unequal`,
      made: left,
      valid: false,
      why: 'holds only times the cofactor',
    })
  }
  add({
    name: 'A + T(1), holds for k modulo L only',
    made: search({ i: 1 }, (made) => made.holds && !made.holdsUnreduced),
    valid: true,
    why: 'k is reduced modulo L before it meets A',
  })
  add({
    name: 'A + T(1), holds for k as hashed only',
    made: search({ i: 1 }, (made) => !made.holds && made.holdsUnreduced),
    valid: false,
    why: 'k is reduced modulo L before it meets A',
  })
}

function addKeysOfSmallOrder(): void {
  const why = 'a key of small order: nobody has to know a secret to make this'
  for (let i = 0; i < 8; i++) {
    const parts = { a: 0n, i }
    const made = search(parts, ({ holds }) => holds)
    add({ name: `A = T(${i})`, made, valid: false, why })
    const both = search({ ...parts, r: 0n, j: 1 }, ({ holds }) => holds || i % 2 === 0)
    add({ name: `A = T(${i}), R = T(1), S = 0`, made: both, valid: false, why })
  }
  for (const { i, encoded, what } of otherEncodings()) {
    const made = search({ a: 0n, i, encodedA: encoded }, ({ holds }) => holds)
    add({ name: `A = T(${i}) written as ${what}`, made, valid: false, why: 'the key is not canonical' })
  }
}

function addNoncesOfSmallOrder(): void {
  const identity = make(numbered(0), { r: 0n })
  add({
    name: 'R = identity',
    made: identity,
    valid: true,
    why: 'made with the secret key; the rule asks nothing of the order of R',
  })
  for (const j of [1, 2, 3, 4, 5, 6, 7]) {
    const made = make(numbered(0), { r: 0n, j })
    add({ name: `R = T(${j})`, made, valid: false, why: 'holds only times the cofactor' })
  }
  for (const [i, j] of [
    [1, 1],
    [1, 2],
    [3, 4],
    [5, 7],
    [2, 6],
  ] as const) {
    const made = search({ i, r: 0n, j }, ({ holds }) => holds)
    add({ name: `A + T(${i}), R = T(${j})`, made, valid: true, why: 'the torsion parts cancel' })
  }
  for (const { i: j, encoded, what } of otherEncodings()) {
    const parts = { r: 0n, j, i: j === 0 ? 0 : 1, encodedR: encoded }
    const made = search(parts, ({ holds }) => holds)
    add({ name: `R = T(${j}) written as ${what}`, made, valid: false, why: 'R is not canonical' })
  }
}

function addOffCurve(): void {
  const offCurve = hexOf(2n)
  const badKey = { ...make(numbered(0), {}), publicKeyHex: offCurve }
  add({ name: 'A with y = 2', made: badKey, valid: false, why: 'no point has this y' })
  const made = make(numbered(0), { encodedR: offCurve })
  add({ name: 'R with y = 2', made, valid: false, why: 'no point has this y' })
  // y = 3 is on the curve, and p + 3 fits 255 bits too; nobody knows this key's secret.
  for (const [y, what] of [
    [3n, 'y = 3'],
    [fieldPrime + 3n, 'y = p + 3'],
  ] as const) {
    const forged = { ...make(numbered(0), {}), publicKeyHex: hexOf(y) }
    add({ name: `A with ${what}`, made: forged, valid: false, why: 'not signed with this key' })
  }
}

/** Encodings of points of small order that RFC 8032 decoding refuses and lenient decoders take. */
function otherEncodings(): { i: number; encoded: string; what: string }[] {
  const sign = 2n ** 255n
  const stepsOf = (hex: string) => {
    for (let n = 0; n < 8; n++) if (torsion(n).toHex() === hex) return n
    throw new Error(`${hex} is not of small order`)
  }
  const identity = stepsOf(hexOf(1n))
  const orderTwo = stepsOf(hexOf(fieldPrime - 1n))
  return [
    { i: identity, encoded: hexOf(1n + sign), what: 'y = 1 with x = −0' },
    { i: identity, encoded: hexOf(fieldPrime + 1n), what: 'y = p + 1' },
    { i: identity, encoded: hexOf(fieldPrime + 1n + sign), what: 'y = p + 1 with x = −0' },
    { i: orderTwo, encoded: hexOf(fieldPrime - 1n + sign), what: 'y = p − 1 with x = −0' },
    { i: stepsOf(hexOf(0n)), encoded: hexOf(fieldPrime), what: 'y = p' },
    { i: stepsOf(hexOf(sign)), encoded: hexOf(fieldPrime + sign), what: 'y = p, x negative' },
  ]
}

function add({
  made,
  ...rest
}: { name: string; made: Made | Omit<Vector, 'name' | 'valid' | 'why'> } & Pick<
  Vector,
  'valid' | 'why'
>): void {
  const { publicKeyHex, messageHex, signatureHex } = made
  vectors.push({ name: rest.name, publicKeyHex, messageHex, signatureHex, valid: rest.valid, why: rest.why })
}

/** The first numbered message whose signature is as wanted: k is then what the case needs. */
function search(parts: Parts, isWanted: (made: Made) => boolean): Made {
  for (let number = 0; number < triesMax; number++) {
    const made = make(numbered(number), parts)
    if (isWanted(made)) return made
  }
  throw new Error('no message gives such a signature')
}

function make(message: Uint8Array, { a = defaultA, i = 0, r = defaultR, j = 0, ...given }: Parts): Made {
  const encodedA = given.encodedA ?? multiple(a).add(torsion(i)).toHex()
  const encodedR = given.encodedR ?? multiple(r).add(torsion(j)).toHex()
  const hashed = createHash('sha512').update(encodedR, 'hex').update(encodedA, 'hex').update(message).digest()
  const unreduced = integerOf(hashed)
  const k = unreduced % order
  const s = ((r + k * a) % order) + (given.excess ?? 0n)
  return {
    publicKeyHex: encodedA,
    messageHex: Buffer.from(message).toString('hex'),
    signatureHex: encodedR + hexOf(s),
    holds: (BigInt(j) + k * BigInt(i)) % 8n === 0n,
    holdsUnreduced: (BigInt(j) + unreduced * BigInt(i)) % 8n === 0n,
  }
}

function multiple(scalar: bigint): InstanceType<typeof Point> {
  return Point.BASE.multiplyUnsafe(scalar)
}

function torsion(steps: number): InstanceType<typeof Point> {
  return torsionGenerator.multiplyUnsafe(BigInt(steps))
}

function numbered(number: number): Uint8Array {
  return Buffer.from(`diseq vector ${number}`)
}

function scalarFrom(label: string): bigint {
  return integerOf(createHash('sha512').update(label).digest()) % order
}

function integerOf(littleEndian: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(littleEndian).reverse().toString('hex')}`)
}

/** 32 bytes, little-endian. */
function hexOf(integer: bigint): string {
  return Buffer.from(integer.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex')
}
