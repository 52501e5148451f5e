import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitmentEntriesMax, decodeFrame } from '../../../src/codec/index.ts'
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

test('after hundreds of views an asker is sent what brings it on first, whatever it was sent before', async () => {
  const chain = await ChainBuilder.create({ validatorCount: 100 })
  const powers = chain.genesis.validators.map(({ power }) => power)
  const thresholds = thresholdsOf(powers, 'byzantine')
  const leaders = [...powers.keys()]
  const start = { kind: 'start-height' as const, context: { height: 1, leaders, demoted: new Set<number>() } }
  const aCore = () => {
    const core = createState({ powers, thresholds })
    step(core, start)
    return core
  }
  const core = aCore()
  const viewCount = 1_000
  const signature = new Uint8Array(64)
  const signatures = leaders.slice(0, 67).map((validator) => ({ validator, signature }))
  for (let view = 0; view < viewCount; view++) {
    const certificate = { kind: 'nullification' as const, height: 1, view, signatures }
    step(core, { kind: 'certificate', certificate: trusted(certificate) })
  }
  const vote = { kind: 'nullify' as const, height: 1, view: viewCount, validator: 5, signature }
  step(core, { kind: 'vote', vote: trusted(vote) })
  step(core, { kind: 'pool-commitment', commitment: trusted(chain.commitment({ validator: 7, height: 1 })) })

  const asker = aCore()
  const bytes = framesLacking(core, holdingOf(asker))
  const context = { limits: chain.genesis.limits, entriesMax: 9, sha256 }
  const kinds = new Set<string>()
  for (const frame of bytes.map((one) => decodeFrame(one, context))) {
    assert.ok(frame.ok)
    kinds.add(frame.value.kind)
    if (frame.value.kind === 'certificate')
      step(asker, { kind: 'certificate', certificate: trusted(frame.value.certificate) })
    if (frame.value.kind === 'vote') step(asker, { kind: 'vote', vote: trusted(frame.value.vote) })
  }
  assert.ok(bytes.reduce((sum, { length }) => sum + length, 0) > 2 * 1024 * 1024, 'the reply is full')
  assert.deepEqual([...kinds].sort(), ['certificate', 'pool-commitment', 'vote'])
  assert.equal(asker.view, viewCount)
  assert.deepEqual([...(asker.views.get(viewCount)?.nullifies.keys() ?? [])], [5])
})
