import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitmentEntriesMax } from '../../../src/codec/index.ts'
import { createState, step } from '../../../src/consensus/index.ts'
import { sha256, sha256Hex } from '../../../src/crypto/native/index.ts'
import { FrameVerifier } from '../../../src/network/verify.ts'
import { framesLacking, holdingOf } from '../../../src/node/height-view.ts'
import { trusted } from '../../../src/node/ports.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'

test('a proposal and its block that a leader signed apart, with two signatures, are handed on as one frame that holds', async () => {
  const chain = await ChainBuilder.create()
  const { genesis } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const thresholds = thresholdsOf(powers, genesis.faultModel)
  const verifier = new FrameVerifier({
    genesis,
    thresholds,
    // Ed25519 lets a signer make as many signatures of one text as it likes: any is good here.
    crypto: { sha256, sha256Hex, verifySignature: () => true },
    entriesMax: commitmentEntriesMax(genesis.limits, powers.length),
  })
  const { block } = await chain.makeBlock()
  const { header, id, signature } = block
  const other = signature.map((byte, at) => (at === 0 ? byte ^ 1 : byte))
  const { height, view, leader } = header

  const core = createState({ powers, thresholds, self: leader === 0 ? 1 : 0 })
  const leaders = [leader, ...powers.keys()].filter((value, at, all) => all.indexOf(value) === at)
  step(core, { kind: 'start-height', context: { height, leaders, demoted: new Set() } })
  const empty = holdingOf(core)
  const proposal = { height, view, leader, blockId: id, signature, justification: [] }
  step(core, { kind: 'proposal', proposal: trusted(proposal) })
  step(core, { kind: 'block', block: { ...block, signature: other } })
  assert.ok(core.blocks.has(id))

  const frames = framesLacking(core, empty).map((bytes) => verifier.verify(bytes))
  assert.deepEqual(
    frames.map((verified) => (verified.ok ? verified.value.kind : verified.detail)),
    ['proposal'],
  )
})
