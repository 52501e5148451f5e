// The Merkle tree hash of RFC 9162, section 2.1: root, inclusion path, and its check. What stands in the leaves is
// roots.ts's to say. Imports nothing that a browser lacks.
import type { Sha256 } from '../codec/index.ts'

const nodeSize = 32

/** Root over leaves in order; SHA-256 of nothing for none. */
export function merkleRoot(leaves: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  let level = leaves.map((leaf) => hashLeaf(leaf, sha256))
  while (level.length > 1) level = levelAbove(level, sha256)
  return level[0] ?? sha256(new Uint8Array(0))
}

/** Siblings from leaf `index` up to the root; RangeError where there is no such leaf. */
export function merklePath(leaves: readonly Uint8Array[], index: number, sha256: Sha256): Uint8Array[] {
  return merkleRangePath(leaves, { index, count: 1 }, sha256)
}

/** Whether `leaf` is leaf `index` of the `size` leaves under `root`. Size and index are part of what is proven: the
 *  path must have exactly the length they call for. Takes anything and never throws. */
export function verifyMerklePath({
  leaf,
  ...place
}: {
  readonly root: Uint8Array
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
  readonly sha256: Sha256
}): boolean {
  return verifyMerkleRange({ ...place, leaves: [leaf] })
}

/** The hashes by which leaves `index` to `index + count − 1` lead to the root: from the bottom up, on each level the
 *  sibling on the left where they lack one, then that on the right. For one leaf it is `merklePath`. RangeError where
 *  there are no such leaves. */
export function merkleRangePath(
  leaves: readonly Uint8Array[],
  range: { readonly index: number; readonly count: number },
  sha256: Sha256,
): Uint8Array[] {
  const { index, count } = range
  const isRange = Number.isInteger(index) && Number.isInteger(count) && index >= 0 && count >= 1
  if (!isRange || index + count > leaves.length)
    throw new RangeError(`no ${count} leaves from ${index} among ${leaves.length}`)
  const path: Uint8Array[] = []
  let level = leaves.map((leaf) => hashLeaf(leaf, sha256))
  let first = index
  let last = index + count - 1
  for (; level.length > 1; first >>>= 1, last >>>= 1) {
    const left = first % 2 === 1 ? level[first - 1] : undefined
    const right = last % 2 === 0 ? level[last + 1] : undefined
    if (left !== undefined) path.push(left)
    if (right !== undefined) path.push(right)
    level = levelAbove(level, sha256)
  }
  return path
}

/** Whether `leaves` are the leaves from `index` on, next to each other, of the `size` leaves under `root`. As with one
 *  leaf, size and index are part of what is proven. Takes anything and never throws. */
export function verifyMerkleRange({
  root,
  leaves,
  index,
  size,
  path,
  sha256,
}: {
  readonly root: Uint8Array
  readonly leaves: readonly Uint8Array[]
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
  readonly sha256: Sha256
}): boolean {
  const isPlace = isU32(size) && isU32(index) && leaves.length >= 1 && index + leaves.length <= size
  if (!isPlace || path.some((node) => node.length !== nodeSize)) return false
  let level = leaves.map((leaf) => hashLeaf(leaf, sha256))
  let first = index
  let used = 0
  // One step a level, at most 32. The last node of a level has no sibling unless it is a right one: it moves up.
  for (let last = size - 1; last > 0; last >>>= 1, first >>>= 1) {
    const end = first + level.length - 1
    const left = first % 2 === 1 ? path.slice(used, ++used) : []
    const right = end % 2 === 0 && end < last ? path.slice(used, ++used) : []
    if (used > path.length) return false
    level = levelAbove([...left, ...level, ...right], sha256)
  }
  const [top] = level
  return used === path.length && top !== undefined && isSame(top, root)
}

/** Splitting at the largest power of two, as the RFC does, pairs neighbours on every level and moves an odd last node
 *  up as it is. */
function levelAbove(level: readonly Uint8Array[], sha256: Sha256): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at]
    const right = level[at + 1]
    if (left === undefined) break
    above.push(right === undefined ? left : hashNode(left, right, sha256))
  }
  return above
}

function hashLeaf(leaf: Uint8Array, sha256: Sha256): Uint8Array {
  const input = new Uint8Array(1 + leaf.length)
  input.set(leaf, 1)
  return sha256(input)
}

function hashNode(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  const input = new Uint8Array(1 + 2 * nodeSize)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 1 + nodeSize)
  return sha256(input)
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
