// Holds a stored trie against one that was made again (`diseq check`): the same leaves, and every hash in every page
// made again from what it stands for. Reads pages one by one and keeps their numbers.

import { entryOf, PageBuilder, sideOf } from './building.ts'
import { equalBytes, HASH_BYTES } from './encoding.ts'
import { TrieError } from './errors.ts'
import { type Entry, PAGE_ENTRIES_MAX, type Page } from './page.ts'
import type { TriePages } from './pages.ts'
import type { TrieRoot } from './root.ts'

/** One of a trie's leaves, as a page names it. */
interface NamedLeaf {
  readonly key: Uint8Array
  readonly hash: Uint8Array
  readonly height: number
  readonly index: number
}

/**
 * @param stored with its pages: of a checkpoint, after block `height`.
 * @param rebuilt with its own: of that block or a later one.
 * @param onProblem called with a sentence for each.
 * @returns the numbers of the pages that `stored` has.
 */
export function auditTrie({
  stored,
  rebuilt,
  height,
  onProblem,
}: {
  readonly stored: { readonly root: TrieRoot; readonly pages: TriePages }
  readonly rebuilt: { readonly root: TrieRoot; readonly pages: TriePages }
  readonly height: number
  readonly onProblem: (problem: string) => void
}): Set<number> {
  const ids = new Set<number>()
  const report = (problem: string) => onProblem(`trie of block ${height}: ${problem}`)
  try {
    const found = leavesOf(stored.root, stored.pages, (id, fault) => {
      ids.add(id)
      if (fault !== undefined) onProblem(`trie page (number ${id}): ${fault}`)
    })
    for (const due of leavesOf(rebuilt.root, rebuilt.pages, () => undefined)) {
      if (due.height > height) continue
      const next = found.next()
      if (next.done === true) {
        report('leaves are missing')
        break
      }
      if (!isSame(next.value, due)) {
        report(`a leaf is another than message ${due.index} of block ${due.height} made`)
        break
      }
    }
    if (found.next().done !== true) report('it has leaves that no message made')
  } catch (error) {
    if (!(error instanceof TrieError)) throw error
    const { failure } = error
    if (failure.code === 'missing-page') onProblem(`trie page (number ${failure.id}): missing`)
    else report(error.message)
  }
  return ids
}

function isSame(found: NamedLeaf, due: NamedLeaf): boolean {
  return (
    equalBytes(found.key, due.key) &&
    equalBytes(found.hash, due.hash) &&
    found.height === due.height &&
    found.index === due.index
  )
}

/** All leaves, ascending by key. @param onPage called with each stored page, and why it is not sound. */
function* leavesOf(
  root: TrieRoot,
  pages: TriePages,
  onPage: (id: number, fault: string | undefined) => void,
): Generator<NamedLeaf, undefined> {
  for (const side of [root.left, root.right])
    if (side !== null) yield* leavesBelow(entryOf(side), pages, onPage)
}

function* leavesBelow(
  entry: Entry,
  pages: TriePages,
  onPage: (id: number, fault: string | undefined) => void,
): Generator<NamedLeaf, undefined> {
  const { below } = entry
  if (below === undefined) {
    const { key, hash } = sideOf(entry)
    yield { key, hash, height: entry.newest, index: entry.index }
    return
  }
  const page = pages.load(below)
  if (below.id !== undefined) onPage(below.id, faultOf(entry, page, pages))
  for (let at = 0; at < page.count; at += 1) yield* leavesBelow(page.entry(at), pages, onPage)
}

/** Why a page is not what the entry above says of it. */
function faultOf(above: Entry, page: Page, pages: TriePages): string | undefined {
  if (page.count < 2 || page.count > PAGE_ENTRIES_MAX) return `it has ${page.count} entries`
  const builder = new PageBuilder(pages)
  const entries = Array.from({ length: page.count }, (_, at) => ({ ...page.entry(at), isChanged: true }))
  const made = builder.join(entries)
  builder.hash()
  if (made === undefined) return 'it is empty'
  const [due, is] = [sideOf(above), sideOf(made)]
  if (!equalBytes(due.hash, is.hash)) return 'its hash is not the one that the page above names'
  if (due.bit !== is.bit || due.newest !== is.newest || !equalBytes(due.key, is.key))
    return 'it does not fit the page above'
  const again = made.below?.page
  for (let at = 1; at < page.count; at += 1) {
    if (page.gap(at) !== again?.gap(at)) return 'its branches are at other bits than its keys say'
    if (!equalBytes(page.branchHash(at), again.branchHash(at))) return 'a branch has another hash'
  }
  const isAscending = entries.every((entry, at) => at === 0 || compare(entries[at - 1], entry) < 0)
  return isAscending ? undefined : 'its keys do not ascend'
}

function compare(a: Entry | undefined, b: Entry): number {
  if (a === undefined) return -1
  for (let byte = 0; byte < HASH_BYTES; byte += 1) {
    const difference = (a.keyIn[a.keyAt + byte] ?? 0) - (b.keyIn[b.keyAt + byte] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
