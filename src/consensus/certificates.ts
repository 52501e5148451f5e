// Certificates: how votes become one, and what each one does (V6, V7, V8).
import assert from '../quorum/assert.ts'
import { isQuorum, powerOf } from '../quorum/index.ts'
import type {
  BlockVote,
  Certificate,
  Finalization,
  Notarization,
  ValidatorIndex,
  Verified,
  Vote,
} from '../types/index.ts'
import type { Output } from './output.ts'
import { type CoreState, viewOf } from './state.ts'
import { afterNotarization, considerNotarize, enterView } from './voting.ts'

/** The certificate that a quorum of equal votes of one view makes; undefined while there is none. */
export function certificateOf(
  state: CoreState,
  votes: ReadonlyMap<ValidatorIndex, Verified<Vote>>,
  vote: Vote,
): Verified<Certificate> | undefined {
  const equal = [...votes.values()].filter((other) => blockOf(other) === blockOf(vote))
  const { powers, thresholds } = state.config
  if (
    !isQuorum(
      thresholds,
      powerOf(
        powers,
        equal.map((other) => other.validator),
      ),
    )
  )
    return undefined
  const signatures = equal
    .map(({ validator, signature }) => ({ validator, signature }))
    .sort((a, b) => a.validator - b.validator)
  const base = { height: vote.height, view: vote.view, signatures }
  const certificate: Certificate =
    vote.kind === 'nullify'
      ? { kind: 'nullification', ...base }
      : { kind: vote.kind === 'notarize' ? 'notarization' : 'finalization', ...base, blockId: vote.blockId }
  // Made of verified votes: the one Verified thing that the core makes itself.
  return certificate as Verified<Certificate>
}

/** V6: any certificate of the height is acted on, of whatever view; one seen before does nothing. */
export function actOnCertificate(
  state: CoreState,
  certificate: Verified<Certificate>,
  outputs: Output[],
): void {
  if (certificate.height !== state.context.height) return
  // K3, V9: it shows the votes it was made of, to one who saw none of them.
  for (const { validator } of certificate.signatures) {
    state.heardOf.add(validator)
    state.votersSeen.add(validator)
  }
  const view = viewOf(state, certificate.view)
  switch (certificate.kind) {
    case 'finalization':
      onFinalization(state, certificate, outputs)
      return
    case 'notarization':
      if (view.notarization !== undefined) {
        assert(view.notarization.blockId === certificate.blockId, 'two blocks are notarized in one view')
        return
      }
      view.notarization = certificate
      announce(certificate, outputs)
      onNotarization(state, certificate, outputs)
      return
    case 'nullification':
      if (view.nullification !== undefined) return
      view.nullification = certificate
      announce(certificate, outputs)
      if (certificate.view >= state.view) enterView(state, certificate.view + 1, outputs)
      else considerNotarize(state, outputs)
  }
}

/** V7: F(v,B), of any view, makes B final and ends the height. */
function onFinalization(state: CoreState, finalization: Verified<Finalization>, outputs: Output[]): void {
  const known = state.finalization
  assert(known === undefined || known.blockId === finalization.blockId, 'two blocks of one height are final')
  if (known !== undefined) return
  const nullified = state.views.get(finalization.view)?.nullification
  assert(nullified === undefined, 'a view is both finalised and nullified')
  state.finalization = finalization
  announce(finalization, outputs)
  const block = state.blocks.get(finalization.blockId)?.block
  outputs.push({ kind: 'finalise', finalization, ...(block === undefined ? {} : { block }) })
}

function onNotarization(state: CoreState, notarization: Notarization, outputs: Output[]): void {
  const { view, blockId } = notarization
  if (view > state.view) enterView(state, view, outputs)
  if (!state.blocks.has(blockId)) {
    const holders = notarization.signatures.map(({ validator }) => validator)
    outputs.push({ kind: 'fetch-block', blockId, holders })
  }
  afterNotarization(state, view, outputs)
  considerNotarize(state, outputs)
}

/** D1: kept before anything is signed because of it; V8: forwarded once. */
function announce(certificate: Certificate, outputs: Output[]): void {
  outputs.push({ kind: 'save-certificate', certificate }, { kind: 'forward-certificate', certificate })
}

/** The block that a vote is for; none for nullify. */
export function blockOf(vote: Vote): BlockVote['blockId'] | undefined {
  return vote.kind === 'nullify' ? undefined : vote.blockId
}
