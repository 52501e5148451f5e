// Every schedule of the voting core within small bounds, state by state: three honest validators with real cores, one
// liar, a few views. A state of the whole is the three validators' states; what is under way is no part of it, since
// it follows from what they signed. Whatever was signed can reach anyone at any time, any number of times or never,
// so loss, delay, reordering and duplication are all in it; and so can anything that the liar could sign.
//
// Checked in every state: the certificates that all signatures so far allow, the liar's added, whether or not anyone
// made them. Checked on every move: that no honest validator contradicts itself, and that no assertion fails.
//
// A certificate reaches a validator as soon as the signatures for it exist, from whoever could assemble it; proposals
// carry none, since with them a proposal is those certificates and then the proposal. A reduced search leaves out:
// - finalizations. One only ends a validator's part; all it does before, it could do without. That two of different
//   blocks are never possible is checked all the same.
// - notarize and finalize as single votes: all they do is to complete a certificate, which comes by itself.
// - nullify votes that change nothing yet: the leader's counts alone, another honest one together with the liar's.
// - proposals of a view other than the receiver's: they wait there until the view is entered, and can come then.
// - states of one validator that nothing which could still happen tells apart (Automaton.minimise).
import { type Thresholds, thresholdsOf } from '../../src/quorum/index.ts'
import type { ValidatorIndex } from '../../src/types/index.ts'
import type { Random } from './random.ts'
import { Automaton } from './search-automaton.ts'
import type { CoreNode } from './search-core.ts'
import type { Move } from './search-moves.ts'
import { Universe } from './search-universe.ts'
import type { CoreStep } from './voting-node.ts'

export interface SearchOptions {
  readonly liar: ValidatorIndex
  readonly viewsMax: number
  readonly statesMax: number
  /** Crashes and restarts are moves too. */
  readonly withRestarts?: boolean
  /** Leaves moves out that lose nothing. */
  readonly isReduced?: boolean
  /** Makes states one that nothing tells apart, within the bounds: what comes after them is not to be looked at. */
  readonly isMinimised?: boolean
  /** Draws the state to go on from, where there are too many to see all; else the last found is the next. */
  readonly random?: Random
  /** In place of those of the fault model, to show that a fault is found. */
  readonly thresholds?: Thresholds
  readonly step?: CoreStep
}

export interface SearchResult {
  readonly statesCount: number
  /** Whether every state within the bounds was seen. */
  readonly isComplete: boolean
  /** States of the single validators. */
  readonly nodesCount: number
  /** The first thing that must not be; undefined where nothing was found. */
  readonly violation: string | undefined
  /** Views in which some state allows a finalization. */
  readonly finalViews: ReadonlySet<number>
  /** A state of the whole, by its number in the order of discovery. */
  readonly stateAt: (at: number) => readonly CoreNode[]
}

/** Room for one validator's state number in the number of a state of the whole. */
const nodesMax = 2 ** 17

export function search(options: SearchOptions): SearchResult {
  return new Search(options).run()
}

class Search {
  readonly #statesMax: number
  readonly #universe: Universe
  readonly #thresholds: Thresholds
  readonly #automaton: Automaton
  readonly #random: Random | undefined
  readonly #seen = new Set<number>()
  /** States in the order of discovery, and those not yet gone on from. */
  readonly #found: number[] = []
  readonly #waiting: number[] = []
  readonly #verdicts = new Map<number, string | undefined>()
  readonly #finalViews = new Set<number>()
  #violation: string | undefined

  constructor(options: SearchOptions) {
    this.#statesMax = options.statesMax
    this.#universe = new Universe(options)
    this.#thresholds = options.thresholds ?? thresholdsOf([1, 1, 1, 1], 'byzantine')
    this.#automaton = new Automaton({ ...options, universe: this.#universe, thresholds: this.#thresholds })
    this.#random = options.random
    if (options.isMinimised) this.#automaton.minimise()
  }

  run(): SearchResult {
    const [a = 0, b = 0, c = 0] = this.#automaton.first
    this.#visit(a, b, c)
    const waiting = this.#waiting
    while (waiting.length > 0 && this.#seen.size < this.#statesMax && this.#violation === undefined) {
      const state = this.#random === undefined ? waiting.pop() : this.#random.take(waiting)
      if (state !== undefined) this.#expand(state)
    }
    const found = this.#found
    return {
      statesCount: this.#seen.size,
      isComplete: waiting.length === 0,
      nodesCount: this.#automaton.classCount,
      violation: this.#violation,
      finalViews: this.#finalViews,
      stateAt: (at) => partsOf(found[at] ?? 0).map((number) => this.#automaton.nodeAt(number)),
    }
  }

  #expand(state: number): void {
    const numbers = partsOf(state)
    const nodes = numbers.map((number) => this.#automaton.nodeAt(number))
    const certified = this.#certifiedBy(nodes)
    const proposed = nodes.reduce((mask, { proposals }) => mask | proposals, this.#universe.lyingProposals)
    const [a = 0, b = 0, c = 0] = numbers
    for (const [who, number] of numbers.entries()) {
      for (const edge of [...this.#automaton.edgesOf(number)]) {
        if (!this.#isAvailable(edge.move, { nodes, certified, proposed })) continue
        const target = this.#automaton.follow(number, edge)
        if (typeof target !== 'number') {
          this.#violation = target.broken
          return
        }
        if (who === 0) this.#visit(target, b, c)
        else if (who === 1) this.#visit(a, target, c)
        else this.#visit(a, b, target)
      }
    }
  }

  #isAvailable(
    { needs }: Move,
    state: { nodes: readonly CoreNode[]; certified: number; proposed: number },
  ): boolean {
    switch (needs.kind) {
      case 'nothing':
        return true
      case 'certificate':
        return (state.certified & (1 << needs.bit)) !== 0
      case 'proposal':
        return (state.proposed & (1 << needs.bit)) !== 0
      case 'vote': {
        const voter = state.nodes[this.#universe.honest.indexOf(needs.voter)]
        return voter === undefined || (voter.votes & (1 << needs.bit)) !== 0
      }
    }
  }

  #visit(a: number, b: number, c: number): void {
    const state = (a * nodesMax + b) * nodesMax + c
    if (this.#seen.has(state)) return
    this.#seen.add(state)
    this.#found.push(state)
    this.#waiting.push(state)
    const nodes = [a, b, c].map((number) => this.#automaton.nodeAt(number))
    const certified = this.#certifiedBy(nodes)
    if (!this.#verdicts.has(certified)) this.#judge(certified)
    const finals = new Set(nodes.map(({ finalBlock }) => finalBlock).filter((id) => id !== undefined))
    this.#violation ??=
      finals.size > 1 ? 'two validators have two blocks final' : this.#verdicts.get(certified)
  }

  #judge(certified: number): void {
    this.#verdicts.set(certified, this.#universe.contradictionIn(certified))
    for (const [at, { kind, view }] of this.#universe.votes.entries())
      if (kind === 'finalize' && (certified & (1 << at)) !== 0) this.#finalViews.add(view)
  }

  /** Votes that honest signatures and the liar's make a quorum, as bits. */
  #certifiedBy(nodes: readonly CoreNode[]): number {
    const [a = 0, b = 0, c = 0] = nodes.map(({ votes }) => votes)
    const honestNeeded = this.#thresholds.quorum - 1
    if (honestNeeded === 1) return a | b | c
    return honestNeeded === 2 ? (a & b) | (a & c) | (b & c) : a & b & c
  }
}

function partsOf(state: number): number[] {
  const high = Math.floor(state / nodesMax ** 2)
  const rest = state - high * nodesMax ** 2
  const middle = Math.floor(rest / nodesMax)
  return [high, middle, rest - middle * nodesMax]
}
