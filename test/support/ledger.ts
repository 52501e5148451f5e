// Everything that honest validators signed, and what must never come of it (protocol §6.1, §6.2). It looks at the
// certificates that the signatures allow, those of liars added, and not only at those that somebody made: what could
// have been assembled somewhere counts.
import assert from 'node:assert/strict'
import { isQuorum, powerOf, type Thresholds } from '../../src/quorum/index.ts'
import type {
  Certificate,
  Height,
  PoolCommitment,
  Proposal,
  ValidatorIndex,
  Verified,
  View,
  Vote,
} from '../../src/types/index.ts'
import { verified } from './consensus.ts'

interface Tally {
  readonly vote: Vote
  readonly voters: Set<ValidatorIndex>
  isCertified: boolean
}

export class Ledger {
  readonly #powers: readonly number[]
  readonly #thresholds: Thresholds
  readonly #liars: ReadonlySet<ValidatorIndex>
  readonly #tallies = new Map<Height, Map<string, Tally>>()
  readonly #signed = new Map<string, string>()

  constructor(options: {
    powers: readonly number[]
    thresholds: Thresholds
    liars: ReadonlySet<ValidatorIndex>
  }) {
    this.#powers = options.powers
    this.#thresholds = options.thresholds
    this.#liars = options.liars
  }

  addVote(vote: Vote): void {
    const { height, view, validator } = vote
    const block = vote.kind === 'nullify' ? '' : vote.blockId
    const scope = `validator ${validator}, height ${height}, view ${view}`
    this.#signOnce(`${scope}: ${vote.kind}`, block)
    if (vote.kind !== 'notarize') this.#signOnce(`${scope}: finalize or nullify`, vote.kind)
    const tallies = this.#talliesOf(height)
    const key = `${vote.kind}/${view}/${block}`
    const tally = tallies.get(key) ?? { vote, voters: new Set(this.#liars), isCertified: false }
    tallies.set(key, tally)
    tally.voters.add(validator)
    if (tally.isCertified || !isQuorum(this.#thresholds, powerOf(this.#powers, tally.voters))) return
    tally.isCertified = true
    this.#checkCertified(height)
  }

  addProposal({ height, view, leader, blockId }: Proposal): void {
    this.#signOnce(`validator ${leader}, height ${height}, view ${view}: proposal`, blockId)
  }

  addCommitment({ height, validator, bytes }: PoolCommitment): void {
    this.#signOnce(`validator ${validator}, height ${height}: pool commitment`, String(bytes))
  }

  /** Certificates that liars can have assembled by now. */
  certificates(height: Height): Verified<Certificate>[] {
    const certified = [...this.#talliesOf(height).values()].filter((tally) => tally.isCertified)
    return certified.map(({ vote, voters }) => {
      const signatures = [...voters]
        .sort((a, b) => a - b)
        .map((validator) => ({ validator, signature: none }))
      const base = { height, view: vote.view, signatures }
      if (vote.kind === 'nullify') return verified({ kind: 'nullification', ...base })
      const kind = vote.kind === 'notarize' ? 'notarization' : 'finalization'
      return verified({ kind, ...base, blockId: vote.blockId })
    })
  }

  /** The highest view that anybody honest voted in. */
  highestView(height: Height): View {
    return Math.max(0, ...[...this.#talliesOf(height).values()].map(({ vote }) => vote.view))
  }

  #talliesOf(height: Height): Map<string, Tally> {
    const known = this.#tallies.get(height)
    if (known !== undefined) return known
    const fresh = new Map<string, Tally>()
    this.#tallies.set(height, fresh)
    return fresh
  }

  #signOnce(what: string, content: string): void {
    const before = this.#signed.get(what)
    assert.ok(before === undefined || before === content, `signed twice: ${what}`)
    this.#signed.set(what, content)
  }

  #checkCertified(height: Height): void {
    const certified = [...this.#talliesOf(height).values()].filter((tally) => tally.isCertified)
    for (const { vote } of certified) {
      for (const { vote: other } of certified) {
        if (vote.kind === 'finalize' && other.kind === 'finalize')
          assert.equal(vote.blockId, other.blockId, `two blocks of height ${height} can be final`)
        if (vote.view !== other.view) continue
        if (vote.kind === 'notarize' && other.kind === 'notarize')
          assert.equal(vote.blockId, other.blockId, `two blocks can be notarized in view ${vote.view}`)
        assert.ok(
          vote.kind !== 'finalize' || other.kind !== 'nullify',
          `view ${vote.view} can be both finalised and nullified`,
        )
      }
    }
  }
}

const none = new Uint8Array()
