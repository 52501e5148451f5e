// The states of single validators and what leads from one to another, found by running the core: each pair of a state
// and a move once, however often it occurs in states of the whole.
import assert from 'node:assert/strict'
import { type CoreConfig, step } from '../../src/consensus/index.ts'
import { InvariantBroken, type Thresholds } from '../../src/quorum/index.ts'
import { type CoreNode, keyOf, restartNode, startNode, stepNode } from './search-core.ts'
import { type Move, movesOf } from './search-moves.ts'
import type { Universe } from './search-universe.ts'
import type { CoreStep } from './voting-node.ts'

/** A number, or what must never happen. */
type Target = number | { readonly broken: string }

export interface Edge {
  readonly move: Move
  target: Target | undefined
}

export class Automaton {
  readonly #universe: Universe
  readonly #step: CoreStep
  readonly #moves: readonly Move[]
  readonly #nodes: CoreNode[] = []
  readonly #edges: (Edge[] | undefined)[] = []
  readonly #numbers = new Map<string, number>()
  readonly first: readonly number[]

  constructor(options: {
    universe: Universe
    thresholds: Thresholds
    step?: CoreStep
    withRestarts?: boolean
  }) {
    this.#universe = options.universe
    this.#step = options.step ?? step
    this.#moves = movesOf(options.universe, { withRestarts: options.withRestarts ?? false })
    this.first = options.universe.honest.map((self) => {
      const powers = options.universe.leaders.map(() => 1)
      const config: CoreConfig = { powers, thresholds: options.thresholds, self }
      return this.#numberOf(startNode(config, this.#universe, this.#step))
    })
  }

  get size(): number {
    return this.#nodes.length
  }

  nodeAt(number: number): CoreNode {
    const node = this.#nodes[number]
    assert.ok(node !== undefined)
    return node
  }

  /** Moves out of a state; one that leads nowhere else goes as soon as that is known. */
  edgesOf(number: number): Edge[] {
    const known = this.#edges[number]
    if (known !== undefined) return known
    const node = this.nodeAt(number)
    const edges = this.#moves
      .filter((move) => move.isPossible(node))
      .map((move) => ({ move, target: undefined }))
    this.#edges[number] = edges
    return edges
  }

  /** Where a move leads; the core is run when that is asked for first. */
  follow(number: number, edge: Edge): Target {
    edge.target ??= this.#run(this.nodeAt(number), edge.move)
    if (edge.target === number) {
      const edges = this.edgesOf(number)
      edges.splice(edges.indexOf(edge), 1)
    }
    return edge.target
  }

  /** Finds all states that any moves lead to, possible together or not, and makes those one that nothing tells
   *  apart: what they have signed is the same, and so is, for every move, that of where it leads. */
  minimise(): void {
    for (let number = 0; number < this.#nodes.length; number++)
      for (const edge of [...this.edgesOf(number)]) this.follow(number, edge)
    let classes = this.#classesBySignatures()
    for (let count = 0, refined = new Set(classes).size; refined > count; refined = new Set(classes).size) {
      count = refined
      classes = this.#refine(classes)
    }
    const representative = new Map<number, number>()
    for (const [number, its] of classes.entries())
      if (!representative.has(its)) representative.set(its, number)
    const mergedNumber = (number: number) => representative.get(classes[number] ?? 0) ?? number
    for (const [number, edges] of this.#edges.entries()) {
      for (const edge of edges ?? [])
        if (typeof edge.target === 'number') edge.target = mergedNumber(edge.target)
      this.#edges[number] = edges?.filter(({ target }) => target !== mergedNumber(number))
    }
    this.#classCount = representative.size
  }

  /** States that are left after `minimise`. */
  get classCount(): number {
    return this.#classCount ?? this.#nodes.length
  }
  #classCount: number | undefined

  #classesBySignatures(): number[] {
    const names = new Map<string, number>()
    return this.#nodes.map(({ core, votes, proposals, finalBlock }) =>
      numberOfName(names, `${core.config.self}/${votes}/${proposals}/${finalBlock}`),
    )
  }

  /** Moore's step: states stay together that are so now, and that each move leads to states that are. */
  #refine(classes: readonly number[]): number[] {
    const pairs = new Map<number, number>()
    const intern = (a: number, b: number) => {
      const pair = a * 2 ** 26 + b
      const known = pairs.get(pair)
      if (known !== undefined) return known
      pairs.set(pair, pairs.size + 1)
      return pairs.size
    }
    const moveNumbers = new Map(this.#moves.map((move, at) => [move, at]))
    return classes.map((own, number) => {
      let name = intern(0, own)
      for (const { move, target } of this.#edges[number] ?? []) {
        const to = typeof target === 'number' ? (classes[target] ?? 0) + 1 : 0
        if (to !== own + 1) name = intern(name, to * 128 + (moveNumbers.get(move) ?? 0))
      }
      return name
    })
  }

  #run(node: CoreNode, { inputs }: Move): Target {
    try {
      const next =
        inputs === 'restart'
          ? restartNode(node, this.#universe, this.#step)
          : stepNode(node, inputs, this.#universe, this.#step)
      return this.#numberOf(next)
    } catch (error) {
      if (!(error instanceof assert.AssertionError) && !(error instanceof InvariantBroken)) throw error
      return { broken: error.message }
    }
  }

  #numberOf(node: CoreNode): number {
    const number = numberOfName(this.#numbers, `${node.core.config.self}/${keyOf(node, this.#universe)}`)
    this.#nodes[number] ??= node
    return number
  }
}

function numberOfName(names: Map<string, number>, name: string): number {
  const known = names.get(name)
  if (known !== undefined) return known
  names.set(name, names.size)
  return names.size - 1
}
