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
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length)
    throw new RangeError(`no leaf ${index} among ${leaves.length}`)
  const path: Uint8Array[] = []
  let level = leaves.map((leaf) => hashLeaf(leaf, sha256))
  for (let at = index; level.length > 1; at >>>= 1) {
    const sibling = level[at ^ 1]
    if (sibling !== undefined) path.push(sibling)
    level = levelAbove(level, sha256)
  }
  return path
}

/** Whether `leaf` is leaf `index` of the `size` leaves under `root`. Size and index are part of what is proven: the
 *  path must have exactly the length they call for. Takes anything and never throws. */
export function verifyMerklePath({
  root,
  leaf,
  index,
  size,
  path,
  sha256,
}: {
  readonly root: Uint8Array
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
  readonly sha256: Sha256
}): boolean {
  const isPlace = isU32(size) && isU32(index) && index < size
  if (!isPlace || path.some((node) => node.length !== nodeSize)) return false
  let hash = hashLeaf(leaf, sha256)
  let at = index
  let last = size - 1
  let used = 0
  // One step a level, at most 32. The last node of a level has no sibling unless it is a right one: it moves up.
  for (; last > 0; at >>>= 1, last >>>= 1) {
    const isRight = at % 2 === 1
    if (!isRight && at === last) continue
    const sibling = path[used++]
    if (sibling === undefined) return false
    hash = isRight ? hashNode(sibling, hash, sha256) : hashNode(hash, sibling, sha256)
  }
  return used === path.length && isSame(hash, root)
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
