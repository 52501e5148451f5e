// What every PageLog must do, run against each of them by test/unit/storage/page-log.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PageLog } from '../../src/storage/index.ts'
import {
  nextPageId,
  PAGE_LENGTH_BYTES,
  type PagePiece,
  type StoredPage,
  type TriePageSource,
} from '../../src/trie/index.ts'

export interface LogUnderTest {
  readonly name: string
  /** An empty log. */
  open(): Promise<PageLog>
}

/** Pages one behind the other from a number on. */
export function somePages(
  count: number,
  start = 1,
  sizeOf = (at: number) => 220 + 110 * (at % 15),
): StoredPage[] {
  const pages: StoredPage[] = []
  for (let at = 0, id = start; at < count; at += 1) {
    const page = { id, bytes: new Uint8Array(sizeOf(at)).fill(at + 1) }
    pages.push(page)
    id = nextPageId(page)
  }
  return pages
}

/** Pages that are one behind the other, as the trie gives them to a log. */
export function pieceOf(pages: readonly StoredPage[]): PagePiece {
  const [first, last] = [pages[0], pages.at(-1)]
  if (first === undefined || last === undefined) return { firstId: 0, bytes: new Uint8Array() }
  const bytes = new Uint8Array(nextPageId(last) - first.id)
  for (const page of pages) {
    new DataView(bytes.buffer).setUint16(page.id - first.id, page.bytes.length)
    bytes.set(page.bytes, page.id - first.id + PAGE_LENGTH_BYTES)
  }
  return { firstId: first.id, bytes }
}

/** All pages of a log from one on. */
export function readAll(log: TriePageSource, from: number): StoredPage[] {
  const found: StoredPage[] = []
  for (let id = from; ; ) {
    const pages = log.from(id).map(({ id, bytes }) => ({ id, bytes: new Uint8Array(bytes) }))
    const last = pages.at(-1)
    if (last === undefined) return found
    found.push(...pages)
    id = nextPageId(last)
  }
}

export function pageLogContract({ name, open }: LogUnderTest): void {
  describe(`${name} as a PageLog`, () => {
    it('gives back what was added, one by one and one behind the other', async () => {
      const log = await open()
      const pages = somePages(900)
      for (let at = 0; at < pages.length; at += 100) await log.append(pieceOf(pages.slice(at, at + 100)))
      await log.sync()
      for (const { id, bytes } of pages) assert.deepEqual(log.get(id), bytes)
      assert.deepEqual(readAll(log, 1), pages)
      const end = nextPageId(pages.at(-1) ?? assert.fail())
      assert.equal(log.get(end), undefined)
      assert.deepEqual(log.from(end), [])
    })

    it('gives out plain bytes, which stay as they are while others are read together', async () => {
      const log = await open()
      const [first, second] = somePages(2)
      assert.ok(first !== undefined && second !== undefined)
      await log.append(pieceOf([first, second]))
      const page = log.get(first.id)
      log.from(second.id)
      assert.equal(page?.constructor, Uint8Array)
      assert.deepEqual(page, first.bytes)
    })

    it('leaves the pages that it gave out together as they are while single ones are read', async () => {
      const log = await open()
      const pages = somePages(40)
      await log.append(pieceOf(pages))
      for (let id = 1, at = 0; at < pages.length; ) {
        const found = log.from(id)
        for (const page of found) {
          log.get(1)
          log.get(pages.at(-1)?.id ?? 0)
          assert.deepEqual(new Uint8Array(page.bytes), pages[at]?.bytes)
          at += 1
          id = nextPageId(page)
        }
      }
    })

    it('begins at any number, and goes on only where it ends', async () => {
      const log = await open()
      const [first, second, third] = somePages(3, 5_000_000_000)
      assert.ok(first !== undefined && second !== undefined && third !== undefined)
      await log.append(pieceOf([first]))
      await assert.rejects(log.append(pieceOf([third])), RangeError)
      await log.append(pieceOf([second]))
      assert.deepEqual(readAll(log, first.id), [first, second])
      await log.append(pieceOf([]))
    })

    it('lets go of what is before a page, and of nothing after it', async () => {
      const log = await open()
      const pages = somePages(1_500)
      await log.append(pieceOf(pages))
      const first = pages[1_000]?.id ?? assert.fail()
      await log.release(first)
      assert.deepEqual(readAll(log, first), pages.slice(1_000))
      assert.equal(await log.cut({ first, next: nextPageId(pages[1_200] ?? assert.fail()) }), true)
      assert.deepEqual(readAll(log, first), pages.slice(1_000, 1_201))
    })

    it('is cut behind a range, and goes on from there', async () => {
      const log = await open()
      const pages = somePages(400)
      await log.append(pieceOf(pages))
      const next = pages[150]?.id ?? assert.fail()
      assert.equal(await log.cut({ first: 1, next }), true)
      assert.deepEqual(readAll(log, 1), pages.slice(0, 150))
      const others = somePages(400, next, () => 330)
      await log.append(pieceOf(others))
      assert.deepEqual(readAll(log, 1), [...pages.slice(0, 150), ...others])
    })

    it('forgets all where a page of the range is not there, and begins anew', async () => {
      const pages = somePages(300)
      const end = nextPageId(pages.at(-1) ?? assert.fail())
      for (const range of [
        { first: 1, next: end + 1 },
        { first: end, next: end + 500 },
      ]) {
        const log = await open()
        await log.append(pieceOf(pages))
        assert.equal(await log.cut(range), false)
        assert.deepEqual(log.from(1), [])
        await log.append(pieceOf(somePages(3)))
        assert.deepEqual(readAll(log, 1), somePages(3))
      }
      const empty = await open()
      assert.equal(await empty.cut({ first: 1, next: 1 }), true)
      assert.equal(await empty.cut({ first: 1, next: 2 }), false)
    })

    it('keeps nothing where the range is empty', async () => {
      const log = await open()
      await log.append(pieceOf(somePages(20)))
      assert.equal(await log.cut({ first: 1, next: 1 }), true)
      assert.deepEqual(log.from(1), [])
    })

    it('does as a list of pages does, whatever comes in which order', async () => {
      const action = fc.oneof(
        fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 0, max: 300 }) }),
        fc.record({ kind: fc.constantFrom('release' as const, 'cut' as const), at: fc.nat() }),
        fc.record({ kind: fc.constant('sync' as const) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
          const log = await open()
          let model: StoredPage[] = []
          let next = 1
          for (const each of actions) {
            if (each.kind === 'append') {
              const added = somePages(each.count, next)
              await log.append(pieceOf(added))
              model.push(...added)
              next = nextPageId(added.at(-1) ?? { id: next - 6, bytes: new Uint8Array() })
            } else if (each.kind === 'sync') await log.sync()
            else {
              const chosen = model[each.at % Math.max(1, model.length)]
              if (chosen === undefined) continue
              const isKept = ({ id }: StoredPage) => (each.kind === 'cut' ? id < chosen.id : id >= chosen.id)
              if (each.kind === 'release') await log.release(chosen.id)
              else {
                assert.equal(await log.cut({ first: model[0]?.id ?? next, next: chosen.id }), true)
                next = chosen.id
              }
              model = model.filter(isKept)
            }
            assert.deepEqual(readAll(log, model[0]?.id ?? next), model)
          }
        }),
        { numRuns: 25 },
      )
    })
  })
}
