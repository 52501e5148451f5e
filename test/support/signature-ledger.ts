// Everything validators were seen to sign, from the wire and from their own records, held against each other for all
// time: no honest validator signs two things that contradict each other (protocol §6, invariant 2).
import { existsSync, readFileSync } from 'node:fs'
import { decodePoolCommitment, decodeProposalBody, decodeVoteBody } from '../../src/codec/index.ts'
import { homePaths } from '../../src/node/home.ts'
import type { Block, Certificate, SignedKind, Vote } from '../../src/types/index.ts'

/** What a validator may say but once. */
interface Statement {
  readonly validator: number
  readonly kind: SignedKind
  readonly height: number
  readonly view?: number
  /** What it said: a block id, or the bytes of a pool commitment. */
  readonly content: string
}

const anyEntriesMax = 100_000
const certified = { notarization: 'notarize', nullification: 'nullify', finalization: 'finalize' } as const

export class SignatureLedger {
  /** Validators whose record was there. */
  readonly #recorded = new Set<number>()
  readonly #said = new Map<string, { content: string; source: string }>()
  readonly #conflicts: string[] = []

  /** Pairs of contradicting signatures. */
  get conflicts(): readonly string[] {
    return this.#conflicts
  }

  /** Different statements so far. */
  get size(): number {
    return this.#said.size
  }

  /** Whether a validator was seen to sign something of a kind for a height of at least `from`. */
  hasSigned({ validator, kind, from }: { validator: number; kind: SignedKind; from: number }): boolean {
    for (const key of this.#said.keys()) {
      const [who, what, height] = key.split('/')
      if (Number(who) === validator && what === slotOf(kind) && Number(height) >= from) return true
    }
    return false
  }

  add(statement: Statement, source: string): void {
    const { validator, kind, height, view = 0 } = statement
    const key = `${validator}/${slotOf(kind)}/${height}/${view}`
    const content = `${kind} ${statement.content}`
    const known = this.#said.get(key)
    if (known === undefined) this.#said.set(key, { content, source })
    else if (known.content !== content) {
      this.#conflicts.push(`${key}: ${known.content} (${known.source}), ${content} (${source})`)
    }
  }

  addVote(vote: Vote, source: string): void {
    const { kind, height, view, validator } = vote
    this.add({ kind, height, view, validator, content: kind === 'nullify' ? '' : vote.blockId }, source)
  }

  addCertificate(certificate: Certificate, source: string): void {
    const { height, view, signatures } = certificate
    const content = certificate.kind === 'nullification' ? '' : certificate.blockId
    const kind = certified[certificate.kind]
    for (const { validator } of signatures) this.add({ kind, height, view, validator, content }, source)
  }

  addBlock({ id, header, commitments }: Block, source: string): void {
    const { height, view, leader } = header
    this.add({ kind: 'proposal', height, view, validator: leader, content: id }, source)
    for (const { validator, bytes } of commitments) {
      this.add({ kind: 'pool-commitment', height, validator, content: hex(bytes) }, source)
    }
  }

  /** Every line of the signing record of a home, whatever its reader thinks of it. A validator that was killed before it
   *  signed anything has none; one that had one has it for good. */
  addRecordOf(home: string, validator: number): void {
    const path = homePaths(home).signingRecord
    if (!this.#recorded.has(validator) && !existsSync(path)) return
    this.#recorded.add(validator)
    const text = readFileSync(path, 'utf8')
    // After the head; the last part is empty, or an append that a crash cut short.
    for (const line of text.split('\n').slice(1, -1)) {
      const { kind, bytes } = JSON.parse(line.slice(0, line.lastIndexOf('}') + 1)) as {
        kind: SignedKind
        bytes: string
      }
      this.#addSigned(kind, new Uint8Array(Buffer.from(bytes, 'base64')), validator)
    }
  }

  #addSigned(kind: SignedKind, bytes: Uint8Array, validator: number): void {
    const source = `record of ${validator}`
    const signature = new Uint8Array(64)
    if (kind === 'pool-commitment') {
      const decoded = decodePoolCommitment({ validator, bytes, signature }, anyEntriesMax)
      if (!decoded.ok) throw new Error(`${source}: ${decoded.reason}`)
      this.add({ kind, height: decoded.value.height, validator, content: hex(bytes) }, source)
      return
    }
    const decoded = kind === 'proposal' ? decodeProposalBody(bytes) : decodeVoteBody(bytes)
    if (!decoded.ok) throw new Error(`${source}: ${decoded.reason}`)
    const { height, view } = decoded.value
    const content = 'blockId' in decoded.value ? decoded.value.blockId : ''
    this.add({ kind, height, view, validator, content }, source)
  }
}

/** Finalize and nullify of one view exclude each other, so they share a place. */
function slotOf(kind: SignedKind): string {
  return kind === 'nullify' || kind === 'finalize' ? 'finalize-or-nullify' : kind
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
