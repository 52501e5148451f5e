// What a validator may sign after what it has signed (protocol §6.2): the rules of the signing record, as plain
// computation. They hold whatever the rest of the node believes, so they look at nothing but the signed bytes.
import { bodyTags, decodeAll, decodeProposalBody, decodeVoteBody } from '../codec/index.ts'
import type { BlockId, Height, SignedKind, View } from '../types/index.ts'

export interface SigningRequest {
  readonly kind: SignedKind
  /** The exact bytes to sign: `encodePoolCommitmentBody`, `encodeVoteBody` or `encodeProposalBody`. */
  readonly bytes: Uint8Array
}

/** What a request is about. */
export type SigningSubject = { readonly kind: 'pool-commitment'; readonly height: Height } | ViewSubject
type ViewSubject =
  | { readonly kind: 'nullify'; readonly height: Height; readonly view: View }
  | {
      readonly kind: 'notarize' | 'finalize' | 'proposal'
      readonly height: Height
      readonly view: View
      readonly blockId: BlockId
    }

/** One signature in the record. */
export interface RecordedSignature {
  /** Its running number, from 1. */
  readonly number: number
  readonly subject: SigningSubject
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

export type RefusalCode =
  /** The bytes are not of their kind. */
  | 'malformed'
  /** The record was imported, and from which height it is safe to sign is not known yet. */
  | 'no-floor'
  /** Below the height from which signing is safe since an import. */
  | 'below-floor'
  /** The height's one pool commitment is another one. */
  | 'second-commitment'
  /** A pool commitment of a later height was signed. */
  | 'commitment-height-passed'
  /** A vote or proposal of a later height was signed. */
  | 'vote-height-passed'
  /** The view's one notarize, finalize or proposal is of another block. */
  | 'second-in-view'
  | 'finalize-after-nullify'
  | 'nullify-after-finalize'
  /** A write to the record failed: what it holds is unknown until it is opened again. */
  | 'record-failed'

export interface Refused {
  readonly kind: 'refused'
  readonly code: RefusalCode
  /** What was asked for, where its bytes could be read. */
  readonly asked?: SigningSubject
  /** What was signed and stands in the way, where it is one signature. */
  readonly signed?: SigningSubject
}
export type Verdict =
  | { readonly kind: 'new'; readonly subject: SigningSubject }
  | { readonly kind: 'recorded'; readonly entry: RecordedSignature }
  | Refused

/** The record does not allow a signature; nothing was signed. */
export class SigningRefused extends Error {
  override readonly name = 'SigningRefused'
  readonly code: RefusalCode
  readonly asked: SigningSubject | undefined
  readonly signed: SigningSubject | undefined

  constructor({ code, asked, signed }: Refused, options?: ErrorOptions) {
    super(`refused to sign ${nameOf(asked)}: ${code}`, options)
    this.code = code
    this.asked = asked
    this.signed = signed
  }
}

/** Pool commitments kept: of the height under way, which may have to be sent again, and of the next. */
const commitmentsKept = 2

/** What was signed, as far as it matters for what comes. Mutable; `clone` it to try something. */
export class SignedState {
  /** Highest height of a pool commitment; -1 before the first. */
  commitmentHeight = -1
  /** Highest height of a vote or proposal; -1 before the first. */
  voteHeight = -1
  /** Nothing below is signed. */
  signFrom: Height = 0
  /** Ascending by height, at most two. */
  #commitments: RecordedSignature[] = []
  /** Of `voteHeight` only, by view and kind. They grow with the views of one height, whose timers grow too: in a day
   *  without a quorum a few thousand. */
  #votes = new Map<string, RecordedSignature>()

  clone(): SignedState {
    const copy = new SignedState()
    copy.commitmentHeight = this.commitmentHeight
    copy.voteHeight = this.voteHeight
    copy.signFrom = this.signFrom
    copy.#commitments = [...this.#commitments]
    copy.#votes = new Map(this.#votes)
    return copy
  }

  /** What is kept, ascending by number. */
  entries(): RecordedSignature[] {
    return [...this.#commitments, ...this.#votes.values()].sort((a, b) => a.number - b.number)
  }

  /** Whether a request may be signed: it is new, or the same bytes are recorded, or a rule forbids it. */
  judge(request: SigningRequest): Verdict {
    const subject = subjectOf(request)
    if (subject === undefined) return { kind: 'refused', code: 'malformed' }
    if (subject.height < this.signFrom) return { kind: 'refused', code: 'below-floor', asked: subject }
    return subject.kind === 'pool-commitment'
      ? this.#judgeCommitment(subject, request)
      : this.#judgeVote(subject)
  }

  /** Takes in a signature that `judge` called new. */
  add(entry: RecordedSignature): void {
    const { subject } = entry
    if (subject.kind === 'pool-commitment') {
      this.commitmentHeight = Math.max(this.commitmentHeight, subject.height)
      const others = this.#commitments.filter((other) => other.subject.height !== subject.height)
      this.#commitments = [...others, entry]
        .sort((a, b) => a.subject.height - b.subject.height)
        .slice(-commitmentsKept)
      return
    }
    if (subject.height < this.voteHeight) return
    if (subject.height > this.voteHeight) {
      this.voteHeight = subject.height
      this.#votes.clear()
    }
    this.#votes.set(voteKey(subject.view, subject.kind), entry)
  }

  /** Takes in marks of another record of the same key: the higher ones hold. */
  raise(marks: { commitmentHeight: number; voteHeight: number; signFrom: Height }): void {
    this.commitmentHeight = Math.max(this.commitmentHeight, marks.commitmentHeight)
    if (marks.voteHeight > this.voteHeight) {
      this.voteHeight = marks.voteHeight
      this.#votes.clear()
    }
    this.signFrom = Math.max(this.signFrom, marks.signFrom)
  }

  #judgeCommitment(subject: SigningSubject, { bytes }: SigningRequest): Verdict {
    const earlier = this.#commitments.find((entry) => entry.subject.height === subject.height)
    if (earlier !== undefined) {
      return Buffer.compare(earlier.bytes, bytes) === 0
        ? { kind: 'recorded', entry: earlier }
        : { kind: 'refused', code: 'second-commitment', asked: subject, signed: earlier.subject }
    }
    // Equal heights too: the record may know of a height from a mark alone.
    if (subject.height > this.commitmentHeight) return { kind: 'new', subject }
    return { kind: 'refused', code: 'commitment-height-passed', asked: subject }
  }

  #judgeVote(subject: ViewSubject): Verdict {
    if (subject.height < this.voteHeight)
      return { kind: 'refused', code: 'vote-height-passed', asked: subject }
    if (subject.height > this.voteHeight) return { kind: 'new', subject }
    const earlier = this.#votes.get(voteKey(subject.view, subject.kind))
    if (earlier !== undefined) {
      return blockOf(earlier.subject) === blockOf(subject)
        ? { kind: 'recorded', entry: earlier }
        : { kind: 'refused', code: 'second-in-view', asked: subject, signed: earlier.subject }
    }
    const excluded = excludedBy(subject.kind)
    const other = excluded === undefined ? undefined : this.#votes.get(voteKey(subject.view, excluded))
    if (other === undefined) return { kind: 'new', subject }
    const code = excluded === 'nullify' ? 'finalize-after-nullify' : 'nullify-after-finalize'
    return { kind: 'refused', code, asked: subject, signed: other.subject }
  }
}

/** What the bytes of a request say; undefined where they are not of its kind. */
export function subjectOf({ kind, bytes }: SigningRequest): SigningSubject | undefined {
  switch (kind) {
    case 'pool-commitment': {
      // The entries have no part in the rules: two commitments differ where their bytes do.
      const head = decodeAll(bytes.subarray(0, 9), (reader) => ({ tag: reader.u8(), height: reader.u64() }))
      return head.ok && head.value.tag === bodyTags[kind] ? { kind, height: head.value.height } : undefined
    }
    case 'proposal': {
      const decoded = decodeProposalBody(bytes)
      return decoded.ok ? { kind, ...decoded.value } : undefined
    }
    default: {
      const decoded = decodeVoteBody(bytes)
      return decoded.ok && decoded.value.kind === kind ? decoded.value : undefined
    }
  }
}

function voteKey(view: View, kind: SignedKind): string {
  return `${view}/${kind}`
}

/** Finalize and nullify of one view contradict each other: the certificates they make would. */
function excludedBy(kind: ViewSubject['kind']): ViewSubject['kind'] | undefined {
  if (kind === 'finalize') return 'nullify'
  return kind === 'nullify' ? 'finalize' : undefined
}

/** All that votes of one kind, height and view can differ in. */
function blockOf(subject: SigningSubject): BlockId | undefined {
  return 'blockId' in subject ? subject.blockId : undefined
}

function nameOf(subject: SigningSubject | undefined): string {
  if (subject === undefined) return 'something'
  const view = 'view' in subject ? `, view ${subject.view}` : ''
  return `a ${subject.kind} of height ${subject.height}${view}`
}
