// A client that was written for the original: it schedules, polls the root, asks for the proof and verifies it by the
// original's rules, with code that shares nothing with this project.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type NodeProcess, TestNetwork } from '../support/processes.ts'

test('a client of the original schedules, polls the root, and verifies the proof of its message', async (t) => {
  const network = await TestNetwork.running(t)
  const [first] = network.nodes
  assert.ok(first)
  const data = [1, 2, 3, 4, 5]
  const reply = await first.post('/schedule', { data, timestamp: 0 })
  assert.equal(reply.status, 200)
  assert.equal(reply.text, `[Ok] Message is being sequenced: Message { data: [1, 2, 3, 4, 5], timestamp: 0 }`)

  // Of every node, whichever the message was sent to.
  for (const node of network.nodes) {
    const root = await pollRoot(network, node)
    const text = (await node.post('/merkle_proof', keyBitsOf(data))).text
    const { nodes } = JSON.parse(text) as OriginalProof
    verifyMerkleProof(nodes, root)
    const [, leaf] = nodes.at(-1) ?? []
    assert.deepEqual(leaf?.Leaf?.data, data)
  }
  const height = (await first.get('/get/height')).text
  assert.equal(height, '2')
  const block = JSON.parse((await first.get('/get/block/1')).text)
  assert.deepEqual(block.messages, [{ data, timestamp: 0 }])
  assert.equal((await first.get('/get/pool')).text, '[]')
  assert.equal((await first.get('/get/block/2')).text, '[Warning] Requested Block that does not exist')

  // A proof asked for while its message is still pending waits for it.
  const later = [7, 7, 7]
  await first.post('/schedule', { data: later, timestamp: 3 })
  const proof = await first.post('/merkle_proof', keyBitsOf(later))
  assert.equal(proof.status, 200, proof.text)
  verifyMerkleProof((JSON.parse(proof.text) as OriginalProof).nodes, await pollRoot(network, first))
})

type Bytes = readonly number[]
type OriginalNode = {
  readonly Root?: { readonly left: Bytes | null; readonly right: Bytes | null }
  readonly Branch?: { readonly key: Bytes; readonly left: Bytes | null; readonly right: Bytes | null }
  readonly Leaf?: {
    readonly prefix: Bytes | null
    readonly key: Bytes
    readonly hash: Bytes | null
    readonly data: Bytes | null
  }
}
interface OriginalProof {
  readonly nodes: readonly (readonly [boolean, OriginalNode])[]
}

async function pollRoot(network: TestNetwork, node: NodeProcess): Promise<Bytes> {
  let root: Bytes | null = null
  await network.until('the root is there', async () => {
    root = (JSON.parse((await node.get('/get/state_root_hash')).text) as { hash: Bytes | null }).hash
    return root !== null
  })
  assert.ok(root !== null)
  return root
}

/** The original's `verify_merkle_proof`, step by step. @throws where it panics or answers with an error. */
function verifyMerkleProof(nodes: OriginalProof['nodes'], trustedRoot: Bytes): void {
  const [last, ...upwards] = nodes.toReversed()
  assert.ok(last?.[1].Leaf?.hash, 'Failed to unwrap as Leaf')
  let isRight = last[0]
  let hash: Bytes = last[1].Leaf.hash
  for (const [isNodeRight, node] of upwards) {
    const inner = node.Branch ?? node.Root
    assert.ok(inner, 'Invalid Node variant in Merkle Proof')
    const left = isRight ? inner.left : hash
    const right = isRight ? hash : inner.right
    const key = node.Branch === undefined ? [] : vectorOf(node.Branch.key)
    // bincode: the key of a branch, the hash (none while it is made), the children.
    hash = sha256([...key, 0, ...optionOf(left), ...optionOf(right)])
    if (node.Root !== undefined) {
      assert.deepEqual(hash, trustedRoot)
      return
    }
    isRight = isNodeRight
  }
  assert.fail('no root in the proof')
}

/** The bits of the hash of a leaf without key: where a message's data is in the trie. */
function keyBitsOf(data: Bytes): number[] {
  const digest = sha256([0, ...vectorOf([]), 0, ...optionOf(data)])
  return digest.flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> (7 - bit)) & 1))
}

function optionOf(value: Bytes | null): number[] {
  return value === null ? [0] : [1, ...vectorOf(value)]
}

/** bincode's vector of bytes: a length of 8 bytes, little-endian, and the bytes. */
function vectorOf(bytes: Bytes): number[] {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  return [...length, ...bytes]
}

function sha256(bytes: Bytes): number[] {
  return [...createHash('sha256').update(Uint8Array.from(bytes)).digest()]
}
