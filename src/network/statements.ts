// What each validator has said of the heights under way, as far as it is handed on. A liar can sign without end, and
// anybody can write down one certificate with ever other signers, or one proposal with ever other certificates: all of it
// would be verified, and forwarded by honest nodes to honest nodes. So of each thing that can be said a few versions are
// taken, enough to convict who contradicts itself; what gets lost by that is asked for (protocol §4). Decides nothing
// about validity, and blames nobody: whoever forwards may have seen another version first.
import { type Frame, heightOf } from '../codec/index.ts'
import type { Height, ValidatorIndex } from '../types/index.ts'
import type { HeightWindow } from './ports.ts'

export type Uselessness =
  /** As many versions of it were taken as are of any use. */
  | 'repeated'
  /** Of a view that the core does not look at yet. */
  | 'far-view'
  /** A proposal by another than the view's leader. */
  | 'not-leader'

/** Two that contradict each other are evidence; a third says nothing new. */
const versionsMax = { 'pool-commitment': 2, vote: 2, proposal: 4, certificate: 1, evidence: 2 } as const
/** Of the height after the one under way: what the core keeps of it until it starts (consensus/state.ts). */
const nextHeightViewMax = 1

type Statement = Exclude<Frame, { kind: 'batch' | 'block' }>

export class Statements {
  /** Bound: the views of the window, times kinds and validators, for two heights; certificates need a quorum. */
  readonly #byHeight = new Map<Height, Map<string, number>>()
  /** Of whatever height: one convicts. */
  readonly #evidence = new Map<ValidatorIndex, number>()

  /** Why a frame is of no use; undefined where it is, or where it is for others to say. */
  uselessnessOf(frame: Frame, window: HeightWindow): Uselessness | undefined {
    if (frame.kind === 'batch' || frame.kind === 'block') return undefined
    const view = viewOf(frame)
    if (view !== undefined && frame.kind !== 'certificate') {
      const isUnderWay = heightOf(frame) === window.final + 1
      const viewMax = isUnderWay ? window.viewMax : nextHeightViewMax
      if (window.viewMax !== undefined && viewMax !== undefined && view > viewMax) return 'far-view'
      if (frame.kind === 'proposal' && isUnderWay) {
        const leader = window.leaderOf?.(view)
        if (leader !== undefined && leader !== frame.proposal.leader) return 'not-leader'
      }
    }
    return this.#countOf(frame) >= versionsMax[frame.kind] ? 'repeated' : undefined
  }

  /** A verified frame was taken. */
  note(frame: Frame, { final }: HeightWindow): void {
    if (frame.kind === 'batch' || frame.kind === 'block') return
    if (frame.kind === 'evidence') {
      this.#evidence.set(frame.evidence.validator, this.#countOf(frame) + 1)
      return
    }
    for (const height of this.#byHeight.keys()) if (height <= final) this.#byHeight.delete(height)
    const height = heightOf(frame)
    const said = this.#byHeight.get(height) ?? new Map<string, number>()
    this.#byHeight.set(height, said)
    said.set(keyOf(frame), (said.get(keyOf(frame)) ?? 0) + 1)
  }

  /** Heights of which anything is remembered. */
  get heightCount(): number {
    return this.#byHeight.size
  }

  #countOf(frame: Statement): number {
    if (frame.kind === 'evidence') return this.#evidence.get(frame.evidence.validator) ?? 0
    return this.#byHeight.get(heightOf(frame))?.get(keyOf(frame)) ?? 0
  }
}

/** All versions of one thing have one key. */
function keyOf(frame: Exclude<Statement, { kind: 'evidence' }>): string {
  switch (frame.kind) {
    case 'pool-commitment':
      return `commitment/${frame.commitment.validator}`
    case 'vote':
      return `${frame.vote.kind}/${frame.vote.view}/${frame.vote.validator}`
    case 'proposal':
      return `proposal/${frame.proposal.view}/${frame.proposal.leader}`
    case 'certificate': {
      const { certificate } = frame
      const block = certificate.kind === 'nullification' ? '' : certificate.blockId
      return `${certificate.kind}/${certificate.view}/${block}`
    }
  }
}

function viewOf(frame: Statement): number | undefined {
  switch (frame.kind) {
    case 'vote':
      return frame.vote.view
    case 'proposal':
      return frame.proposal.view
    case 'certificate':
      return frame.certificate.view
    default:
      return undefined
  }
}
