// Which of the pages in the log nothing leads to any more: a bit each, since a large trie has millions of them. It is a
// memory aid for who cleans the log; after a start nothing is known.

/** No two pages begin in the same so many bytes of the log: a page has two entries at least. */
const GRAIN_BYTES = 128
const CHUNK_GRAINS = 64 * 1024

export class DeadPages {
  /** By their place in the log: a bit for each grain of 8 MiB. */
  readonly #chunks = new Map<number, Uint8Array>()

  add(id: number): void {
    const grain = Math.floor(id / GRAIN_BYTES)
    const at = Math.floor(grain / CHUNK_GRAINS)
    const chunk = this.#chunks.get(at) ?? new Uint8Array(CHUNK_GRAINS / 8)
    this.#chunks.set(at, chunk)
    const bit = grain % CHUNK_GRAINS
    chunk[bit >> 3] = (chunk[bit >> 3] ?? 0) | (1 << (bit & 7))
  }

  has(id: number): boolean {
    const grain = Math.floor(id / GRAIN_BYTES)
    const bit = grain % CHUNK_GRAINS
    const bits = this.#chunks.get(Math.floor(grain / CHUNK_GRAINS))?.[bit >> 3] ?? 0
    return (bits & (1 << (bit & 7))) !== 0
  }

  /** Nobody asks for pages before this one any more. */
  forgetBefore(id: number): void {
    const first = Math.floor(id / (GRAIN_BYTES * CHUNK_GRAINS))
    for (const at of this.#chunks.keys()) if (at < first) this.#chunks.delete(at)
  }
}
