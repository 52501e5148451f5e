// Evidence that the store has, by validator and height: so much of each validator and no more, since a liar can make as
// much of it as it likes. What is known is held in memory; the entries themselves are read only when a node starts.
import { decodeEvidence, encodeEvidence } from '../codec/index.ts'
import type { Evidence, Height, ValidatorIndex } from '../types/index.ts'
import { corrupted } from './errors.ts'
import type { KeyValueStore, WriteOperation } from './key-value.ts'
import { allOf, evidenceKey } from './keys.ts'
import { putSealed, unseal } from './sealed.ts'

/** Contradictions kept of one validator. One convicts it; the rest is for people to look at. */
const evidencePerValidator = 16

export class EvidenceLog {
  readonly #store: KeyValueStore
  readonly #known = new Map<ValidatorIndex, Set<Height>>()

  private constructor(store: KeyValueStore) {
    this.#store = store
  }

  /** @throws StorageError `corrupted`. */
  static async open(store: KeyValueStore): Promise<EvidenceLog> {
    const log = new EvidenceLog(store)
    log.added(await log.load())
    return log
  }

  /** All that is saved, ascending by validator and height. @throws StorageError `corrupted`. */
  async load(): Promise<Evidence[]> {
    const evidence: Evidence[] = []
    for await (const [key, sealed] of this.#store.iterate(allOf('evidence'))) {
      const decoded = decodeEvidence(unseal('evidence', key, sealed))
      if (!decoded.ok) throw corrupted('evidence', decoded.reason)
      evidence.push(decoded.value)
    }
    return evidence
  }

  /** Those that are not known yet, up to the bound for each validator. */
  fresh(evidence: readonly Evidence[]): Evidence[] {
    const known = new Map([...this.#known].map(([validator, heights]) => [validator, new Set(heights)]))
    return evidence.filter((one) => {
      const heights = known.get(one.validator)
      if (heights?.has(one.height) || (heights?.size ?? 0) >= evidencePerValidator) return false
      note(known, one)
      return true
    })
  }

  /** Saves what `fresh` gave. To be followed by `added` once it is on disk. */
  operationsFor(fresh: readonly Evidence[]): WriteOperation[] {
    return fresh.map((one) => putSealed(evidenceKey(one.validator, one.height), encodeEvidence(one)))
  }

  added(fresh: readonly Evidence[]): void {
    for (const one of fresh) note(this.#known, one)
  }
}

function note(known: Map<ValidatorIndex, Set<Height>>, { validator, height }: Evidence): void {
  const heights = known.get(validator) ?? new Set<Height>()
  heights.add(height)
  known.set(validator, heights)
}
