// The sequence as the nodes tell it while a run goes on: every block once, from whoever has it first.
import { blocksOf } from '../support/chains.ts'
import type { GroundNode } from './ground.ts'

export class Finals {
  readonly #nodes: readonly GroundNode[]
  readonly #ids = new Set<string>()
  readonly #blockIds: string[] = []
  readonly #problems: string[] = []

  constructor(nodes: readonly GroundNode[]) {
    this.#nodes = nodes
  }

  get height(): number {
    return this.#blockIds.length
  }

  get problems(): readonly string[] {
    return this.#problems
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Reads what is new from every node that answers. */
  async update(): Promise<void> {
    for (const node of this.#nodes) {
      if (!node.isRunning) continue
      // The last one known again: a node of another chain would show there.
      const blocks = await blocksOf(node, Math.max(1, this.height)).catch(() => [])
      for (const { height, id, messages } of blocks) {
        const known = this.#blockIds[height - 1]
        if (known !== undefined) {
          if (known !== id)
            this.#problems.push(`two final blocks of height ${height}: ${known}, ${id} at ${node.name}`)
          continue
        }
        if (height !== this.height + 1) break
        this.#blockIds.push(id)
        for (const message of messages) {
          if (this.#ids.has(message.id))
            this.#problems.push(`message ${message.id} is final twice, again in block ${height}`)
          this.#ids.add(message.id)
        }
      }
    }
  }
}
