// How many replies each route gave, by status: observers read it, nothing here decides by it.

/** `{"GET /v1/status": {"200": 3}}`. A route is its pattern, so that the number of keys is bounded. */
export type RequestCounts = Readonly<Record<string, Readonly<Record<string, number>>>>

export class RequestCounters {
  readonly #counts = new Map<string, Map<number, number>>()

  /** `pattern`: undefined where no route matched. */
  count(method: string, pattern: string | undefined, status: number): void {
    const route = `${method} ${pattern ?? 'unmatched'}`
    let byStatus = this.#counts.get(route)
    if (byStatus === undefined) {
      byStatus = new Map()
      this.#counts.set(route, byStatus)
    }
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1)
  }

  counts(): RequestCounts {
    return Object.fromEntries([...this.#counts].map(([route, counts]) => [route, Object.fromEntries(counts)]))
  }
}
