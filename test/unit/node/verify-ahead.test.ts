import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { commitmentEntriesMax, type FinalBlock } from '../../../src/codec/index.ts'
import { sha256, sha256Hex, verifySignature, vrfInput } from '../../../src/crypto/native/index.ts'
import { FrameVerifier } from '../../../src/network/verify.ts'
import type { Log } from '../../../src/node/ports.ts'
import { nativeSchemes } from '../../../src/node/schemes.ts'
import { VerifyAhead } from '../../../src/node/verify-ahead.ts'
import {
  type Claims,
  type Findings,
  findingsOf,
  VerifyingThread,
} from '../../../src/node/verifying-thread.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import type { Genesis } from '../../../src/types/index.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'

const chain = await ChainBuilder.create()
await chain.addBlocksUpTo(3)
const [first, second, third] = (await Promise.all([1, 2, 3].map((height) => chain.readFinal(height)))) as [
  FinalBlock,
  FinalBlock,
  FinalBlock,
]

function verifierOf(genesis: Genesis): FrameVerifier {
  const powers = genesis.validators.map(({ power }) => power)
  return new FrameVerifier({
    genesis,
    thresholds: thresholdsOf(powers, genesis.faultModel),
    crypto: { sha256, sha256Hex, verifySignature },
    entriesMax: commitmentEntriesMax(genesis.limits, powers.length),
  })
}

function anAhead(find: (claims: Claims) => Promise<Findings | undefined>) {
  const verifier = verifierOf(chain.genesis)
  return { verifier, ahead: new VerifyAhead({ genesis: chain.genesis, verifier, find }) }
}

function withBadBatch(final: FinalBlock): FinalBlock {
  const batches = final.batches.map((batch) => ({ ...batch, signature: new Uint8Array(64) }))
  return { ...final, batches }
}

function aLog(): { log: Log; warnings: string[] } {
  const warnings: string[] = []
  const none = () => {}
  return {
    warnings,
    log: { debug: none, info: none, error: none, warn: (_, text) => void warnings.push(text) },
  }
}

function aThread(t: TestContext, options?: ConstructorParameters<typeof VerifyingThread>[1]) {
  const { log, warnings } = aLog()
  const thread = new VerifyingThread(log, options)
  t.after(() => thread.stop())
  return { thread, warnings }
}

/** The VRF claim of the second block, as its proof is to be checked. */
function vrfOf(final: FinalBlock, before: FinalBlock) {
  const { header } = final.block
  const validator = chain.genesis.validators[header.leader]
  assert(validator)
  return {
    publicKey: validator.vrfKey,
    genesisHash: chain.genesis.hash,
    height: header.height,
    previousProof: before.block.header.vrfProof,
    proof: header.vrfProof,
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5)
}

test('the thread finds what holds, of signatures and of a VRF proof', async (t) => {
  const { thread } = aThread(t)
  const verifier = verifierOf(chain.genesis)
  const signatures = verifier.unverifiedOf(second).map(({ signed }) => signed)
  // Finalization, block and commitments of four validators, and a batch.
  assert.equal(signatures.length, 4 + 1 + 4 + 1)
  const [one] = signatures
  assert(one)
  const bad = { ...one, message: Uint8Array.of(...one.message, 0) }
  const forged = await thread.find({ signatures: [one, bad, one], vrf: vrfOf(second, first) })
  assert.deepEqual(forged, { holds: [true, false, false] }, 'what comes after a bad one costs nothing')
  const found = await thread.find({ signatures, vrf: vrfOf(second, first) })
  assert.ok(found?.holds.every(Boolean))
  const { vrf } = found ?? {}
  assert(vrf)
  const { publicKey, proof } = vrfOf(second, first)
  assert.deepEqual(nativeSchemes.verifyVrf({ publicKey, alpha: vrf.alpha, proof }), vrf.output)
  const wrong = await thread.find({ signatures: [], vrf: vrfOf(third, first) })
  assert.deepEqual(wrong, { holds: [] }, 'that is not the block before')
})

test('nothing that is sent makes the thread fail', () => {
  const vrf = { ...vrfOf(second, first), previousProof: new Uint8Array(3), proof: new Uint8Array(0) }
  const nonsense = { publicKey: 'no key' as never, message: new Uint8Array(0), signature: new Uint8Array(7) }
  assert.deepEqual(findingsOf({ signatures: [nonsense], vrf }), { holds: [false] })
})

test('the thread ends when nothing is asked of it, and starts again', async (t) => {
  const { thread } = aThread(t, { idleMs: 1 })
  assert.ok(!thread.isRunning)
  for (let round = 0; round < 2; round++) {
    const claims = { signatures: [], vrf: vrfOf(second, first) }
    const both = await Promise.all([thread.find(claims), thread.find(claims)])
    for (const found of both) assert.ok(found?.vrf)
    await until(() => !thread.isRunning)
  }
})

test('a thread that fails or is stopped answers nothing, whatever was under way, and is not tried again', async (t) => {
  const broken = `data:text/javascript,${encodeURIComponent('throw new Error("broken")')}`
  // The second is no thread's file: it cannot even be started.
  for (const file of [broken, 'http://127.0.0.1/']) {
    const { thread, warnings } = aThread(t, { file: new URL(file) })
    assert.equal(await thread.find({ signatures: [] }), undefined)
    assert.equal(await thread.find({ signatures: [] }), undefined)
    assert.equal(warnings.length, 1)
  }

  const { thread: stopped } = aThread(t)
  const finding = stopped.find({ signatures: [] })
  await stopped.stop()
  assert.equal(await finding, undefined)
  assert.equal(await stopped.find({ signatures: [] }), undefined)
})

test('what was found to hold ahead is not computed again', async () => {
  const { verifier, ahead } = anAhead(async (claims) => findingsOf(claims))
  await ahead.verify(second, first.block)
  const { verifications } = verifier
  assert.equal(verifications, 10)
  assert.ok(verifier.verifyFinalBlock(second).ok)
  assert.equal(verifier.verifications, verifications)
  assert.deepEqual(verifier.unverifiedOf(second), [])

  // The output of another proof shows that the memory was asked, for exactly this claim.
  const output = new Uint8Array(64).fill(7)
  const alpha = vrfInput({ genesisHash: chain.genesis.hash, height: 2, beacon: chain.genesis.hash })
  const remembering = anAhead(async ({ signatures }) => ({
    holds: signatures.map(() => false),
    vrf: { alpha, output },
  })).ahead
  await remembering.verify(second, first.block)
  const { publicKey, proof } = vrfOf(second, first)
  assert.equal(remembering.schemes.verifyVrf({ publicKey, alpha, proof }), output)
  assert.equal(
    remembering.schemes.verifyVrf({ publicKey, alpha: Uint8Array.from(alpha, (byte) => byte ^ 1), proof }),
    undefined,
  )
})

test('what does not hold, or was not looked at, is verified as ever', async () => {
  const bad = withBadBatch(second)
  for (const find of [async (claims: Claims) => findingsOf(claims), async () => undefined]) {
    const { verifier, ahead } = anAhead(find)
    await ahead.verify(bad, first.block)
    assert.ok(!verifier.verifyFinalBlock(bad).ok)
    assert.ok(verifier.verifyFinalBlock(second).ok)
    const { publicKey, proof } = vrfOf(second, first)
    const claim = { publicKey, alpha: new Uint8Array(72), proof }
    assert.equal(ahead.schemes.verifyVrf(claim), undefined)
  }
})

test('of a block that cannot be valid nothing is computed ahead', () => {
  const verifier = verifierOf(chain.genesis)
  const { finalization } = second
  const noQuorum = { ...finalization, signatures: finalization.signatures.slice(2) }
  assert.deepEqual(verifier.unverifiedOf({ ...second, finalization: noQuorum }), [])
  assert.equal(verifier.verifications, 0)
})
