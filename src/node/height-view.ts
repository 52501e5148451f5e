// What this node holds of the height under way, in the two forms that other nodes ask for: a summary, and the frames
// that an asker's summary lacks (protocol §4, `status` and `view`). Reads the core's state, changes nothing.
import { encodeFrame, type Frame, type Holding, maxHoldingViews, type ViewHolding } from '../codec/index.ts'
import type { CoreState, ViewState } from '../consensus/index.ts'
import type { ValidatorIndex, View, Vote } from '../types/index.ts'

/** Bytes of one reply; the rest is asked for again. Below the network's frame limit. */
const replyMaxBytes = 3 * 1024 * 1024

/** The summary: the latest views, enough for an asker to be told what it lacks. */
export function holdingOf(core: CoreState): Holding {
  const views = [...core.views.entries()]
    .sort(([a], [b]) => b - a)
    .slice(0, maxHoldingViews)
    .map(([view, state]) => viewHolding(view, state))
    .reverse()
  const commitments = ascending(core.commitments.keys())
  return { height: core.context.height, view: core.view, commitments, views }
}

/** Frames of this height that the asker does not hold, as many as fit one reply. What brings it on comes first: what ends
 *  the height, the last two views (a certificate of one leads into the next, a proposal brings those that justify it), and
 *  what a leader makes its block of. Old views come last, the newest first: of a long height an asker
 *  can't tell that it has their certificates, and would be sent nothing else. */
export function framesLacking(core: CoreState, asker: Holding): Uint8Array[] {
  if (asker.height !== core.context.height) return []
  const known = new Map(asker.views.map((view) => [view.view, view]))
  const views = [...core.views].sort(([a], [b]) => b - a)
  const latest = views.filter(([view]) => isLatest(core, view))
  const older = views.filter(([view]) => !isLatest(core, view))
  const frames: Frame[] = []
  const addViews = (some: readonly (readonly [View, ViewState])[], ...lackingOf: Lacking[]) => {
    for (const lacking of lackingOf) {
      for (const [view, state] of some) frames.push(...lacking({ core, view, state, known: known.get(view) }))
    }
  }
  if (core.finalization !== undefined) frames.push({ kind: 'certificate', certificate: core.finalization })
  addViews(latest, certificatesLacking, votesLacking, proposalLacking)
  for (const [validator, commitment] of core.commitments) {
    if (!asker.commitments.includes(validator)) frames.push({ kind: 'pool-commitment', commitment })
  }
  for (const view of older) addViews([view], certificatesLacking, votesLacking)
  return fitting(frames)
}

/** What this validator signed of the height: pushed until the height is final, since gossip forgets nothing it saw
 *  and so repeats nothing. */
export function ownFrames(core: CoreState): Uint8Array[] {
  const { self } = core.config
  if (self === undefined) return []
  const frames: Frame[] = []
  const commitment = core.commitments.get(self)
  if (commitment !== undefined) frames.push({ kind: 'pool-commitment', commitment })
  for (const [, state] of [...core.views].sort(([a], [b]) => b - a)) {
    for (const votes of [state.notarizes, state.nullifies, state.finalizes]) {
      const vote = votes.get(self)
      if (vote !== undefined) frames.push({ kind: 'vote', vote })
    }
  }
  const { proposal } = core.views.get(core.view) ?? {}
  if (proposal?.leader === self) frames.push({ kind: 'proposal', proposal: withBlock(core, proposal) })
  return fitting(frames)
}

/** What an asker that says it holds `known` of a view lacks of it. */
type Lacking = (details: {
  core: CoreState
  view: View
  state: ViewState
  known: ViewHolding | undefined
}) => Frame[]

function isLatest(core: CoreState, view: View): boolean {
  return view >= core.view - 1
}

const certificatesLacking: Lacking = ({ state, known }) => {
  const frames: Frame[] = []
  if (state.notarization !== undefined && !known?.hasNotarization) {
    frames.push({ kind: 'certificate', certificate: state.notarization })
  }
  if (state.nullification !== undefined && !known?.hasNullification) {
    frames.push({ kind: 'certificate', certificate: state.nullification })
  }
  return frames
}

const proposalLacking: Lacking = ({ core, state, known }) =>
  state.proposal === undefined || known?.hasProposal
    ? []
    : [{ kind: 'proposal', proposal: withBlock(core, state.proposal) }]

const votesLacking: Lacking = ({ state, known }) => {
  const frames: Frame[] = []
  const push = (votes: ReadonlyMap<ValidatorIndex, Vote>, held: readonly ValidatorIndex[] | undefined) => {
    for (const [validator, vote] of votes) if (!held?.includes(validator)) frames.push({ kind: 'vote', vote })
  }
  // A certificate says all that its votes do.
  if (state.notarization === undefined) push(state.notarizes, known?.notarizes)
  if (state.nullification === undefined) push(state.nullifies, known?.nullifies)
  push(state.finalizes, known?.finalizes)
  return frames
}

function withBlock(
  core: CoreState,
  proposal: NonNullable<ViewState['proposal']>,
): NonNullable<ViewState['proposal']> {
  const block = core.blocks.get(proposal.blockId)?.block
  if (block === undefined || proposal.block !== undefined) return proposal
  // A leader can sign its block twice, differently, and send each half apart: together they would be no valid frame,
  // and whoever handed it on would be blamed.
  const isFresh = block.header.view === proposal.view
  return { ...proposal, block: isFresh ? { ...block, signature: proposal.signature } : block }
}

function viewHolding(view: View, state: ViewState): ViewHolding {
  return {
    view,
    hasProposal: state.proposal !== undefined,
    hasNotarization: state.notarization !== undefined,
    hasNullification: state.nullification !== undefined,
    notarizes: ascending(state.notarizes.keys()),
    nullifies: ascending(state.nullifies.keys()),
    finalizes: ascending(state.finalizes.keys()),
  }
}

function fitting(frames: readonly Frame[]): Uint8Array[] {
  const encoded: Uint8Array[] = []
  let sizeBytes = 0
  for (const frame of frames) {
    const bytes = encodeFitting(frame, replyMaxBytes - sizeBytes)
    // After one that is too large for any reply, a proposal with its justification, there may be room for what is small.
    if (bytes === undefined && frame.kind === 'proposal') continue
    if (bytes === undefined) break
    sizeBytes += bytes.length + 4
    encoded.push(bytes)
  }
  return encoded
}

/** A block that does not fit stays out of its proposal: it can be asked for by its id. */
function encodeFitting(frame: Frame, roomBytes: number): Uint8Array | undefined {
  const bytes = encodeFrame(frame)
  if (bytes.length + 4 <= roomBytes) return bytes
  if (frame.kind !== 'proposal' || frame.proposal.block === undefined) return undefined
  const { block: _, ...alone } = frame.proposal
  return encodeFitting({ kind: 'proposal', proposal: alone }, roomBytes)
}

function ascending(indexes: Iterable<ValidatorIndex>): ValidatorIndex[] {
  return [...indexes].sort((a, b) => a - b)
}
