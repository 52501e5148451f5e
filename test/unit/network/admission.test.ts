import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrame, type Frame } from '../../../src/codec/index.ts'
import { sha256Hex } from '../../../src/crypto/native/index.ts'
import { Admission, type Channel, channelOf } from '../../../src/network/admission.ts'
import { encodeBundle } from '../../../src/network/bundles.ts'
import { Counters } from '../../../src/network/counters.ts'
import { PeerConduct } from '../../../src/network/peer-conduct.ts'
import type { HeightWindow } from '../../../src/network/ports.ts'
import { Statements } from '../../../src/network/statements.ts'
import type { VerifiedFrame } from '../../../src/network/verify.ts'
import type { BlockId, Height, PeerId } from '../../../src/types/index.ts'
import { aBlockId, aChain, flipped } from './signed-frames.ts'

const chain = aChain()
const peer = 'someone' as PeerId

function aDoor({
  framesPerSecond = 1_000,
  bytesPerSecond = 1e9,
  ...window
}: Partial<HeightWindow> & { framesPerSecond?: number; bytesPerSecond?: number } = {}) {
  const { final = 0 } = window
  const clock = { ms: 0 }
  const frames: VerifiedFrame[] = []
  const ahead: Height[] = []
  const counters = new Counters()
  const verifier = chain.verifier()
  const rules = { framesPerSecond, bytesPerSecond, banMs: 1_000, validatorBanMs: 1_000 }
  const now = () => clock.ms
  const conduct = new PeerConduct({ rules, isValidator: () => false, now, onCutOff: () => {} })
  const admission = new Admission({
    genesis: chain.genesis,
    verifier,
    conduct,
    counters,
    crypto: { sha256Hex },
    now,
    handler: {
      onFrame: (frame) => frames.push(frame),
      onAhead: (height) => ahead.push(height),
      heightWindow: () => ({ ...window, final }),
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    },
  })
  const admit = (frame: Frame, channel: Channel = 'direct') =>
    admission.admit({ channel, bytes: encodeFrame(frame), from: peer })
  return { admission, admit, frames, ahead, counters, verifier, conduct, clock }
}

function voteOf(height: number): Frame {
  return { kind: 'vote', vote: chain.vote({ kind: 'finalize', height, view: 0, blockId: aBlockId }) }
}

test('hands on each frame once, whatever roads it comes by, and verifies it once', async () => {
  const { admit, frames, verifier } = aDoor()
  const batch: Frame = { kind: 'batch', batch: chain.batch() }
  assert.equal(admit(batch, 'direct'), 'accept')
  assert.equal(admit(batch, 'messages'), 'accept', 'gossip forwards it all the same')
  await Promise.resolve()
  assert.equal(frames.length, 1)
  assert.equal(verifier.verifications, 1)
})

test('takes each kind on its own topic and on direct streams, and blames it on any other', () => {
  for (const frame of chain.everyFrame()) {
    for (const channel of ['messages', 'proposals', 'commitments', 'direct'] as const) {
      const { admit, conduct } = aDoor()
      const isRight = frame.kind !== 'block' && (channel === 'direct' || channelOf[frame.kind] === channel)
      assert.equal(admit(frame, channel), isRight ? 'accept' : 'reject', `${frame.kind} on ${channel}`)
      assert.equal(conduct.invalidCountOf(peer), isRight ? 0 : 1)
    }
  }
})

test('takes the two heights above the final one; ignores without blame what is below or above', () => {
  const { admit, conduct, counters } = aDoor({ final: 10 })
  const verdicts = [9, 10, 11, 12, 13].map((height) => admit(voteOf(height)))
  assert.deepEqual(verdicts, ['ignore', 'ignore', 'accept', 'accept', 'ignore'])
  assert.equal(conduct.invalidCountOf(peer), 0)
  assert.equal(counters.of('ignored_old'), 2)
  assert.equal(counters.of('ignored_ahead'), 1)
})

test('takes evidence of past heights, for as long as it may be of use', () => {
  const { admit } = aDoor({ final: 10 })
  assert.equal(admit({ kind: 'evidence', evidence: chain.evidence() }), 'accept')
})

test('reports a height far ahead once, and only on a good signature', async () => {
  const { admission, admit, ahead, conduct, clock } = aDoor()
  const forged = encodeFrame(voteOf(900))
  const bytes = flipped(forged, forged.length - 1)
  assert.equal(admission.admit({ channel: 'commitments', bytes, from: peer }), 'reject')
  assert.equal(conduct.invalidCountOf(peer), 1)
  for (const _ of [1, 2, 3]) admit(voteOf(40))
  await Promise.resolve()
  assert.deepEqual(ahead, [40])
  clock.ms = 1_000
  admit(voteOf(40))
  admit(voteOf(41))
  await Promise.resolve()
  assert.deepEqual(ahead, [40, 40, 41])
})

test('rejects a frame over the size of its topic, before it is looked at', () => {
  const { admission, counters } = aDoor()
  const sizes: Record<Channel, number> = {
    messages: chain.genesis.limits.maxBatchBytes + 200,
    commitments: 200_000,
    proposals: 5 * 1024 * 1024,
    direct: 5 * 1024 * 1024,
  }
  for (const [channel, size] of Object.entries(sizes)) {
    const bytes = new Uint8Array(size)
    assert.equal(admission.admit({ channel: channel as Channel, bytes, from: peer }), 'reject')
  }
  assert.equal(counters.of('rejected_too-large'), 4)
})

test('ignores what is over a peer’s rate, and everything of a peer that was cut off', () => {
  const { admit, admission, counters, conduct } = aDoor({ framesPerSecond: 1 })
  for (const height of [1, 1, 1, 1]) assert.equal(admit(voteOf(height)), 'accept')
  assert.equal(admit(voteOf(2)), 'ignore')
  assert.equal(counters.of('ignored_rate'), 1)
  conduct.ban(peer, 500)
  const bytes = Uint8Array.of(1, 2, 3)
  assert.equal(admission.admit({ channel: 'direct', bytes, from: peer }), 'ignore')
  assert.equal(counters.of('ignored_banned'), 1)
})

test('a batch of tiny messages counts against its bringer’s rate as what it costs, once', () => {
  const frameOf = (text: string): Frame => ({
    kind: 'batch',
    batch: chain.batch({ text, messageCount: 1_000 }),
  })
  const { admit, admission, counters, clock } = aDoor({ bytesPerSecond: 250_000 })
  const many = frameOf('a')
  assert.ok(encodeFrame(many).length < 40_000)
  assert.equal(admit(many), 'accept')
  for (let copy = 0; copy < 5; copy++) assert.equal(admit(many), 'accept', 'a known one costs its hash')
  assert.equal(admit(frameOf('b')), 'ignore', 'four seconds’ worth are used up')
  assert.equal(counters.of('ignored_rate'), 1)
  const bytes = encodeFrame(frameOf('c'))
  assert.deepEqual(
    admission.verifyEach({ frames: [bytes], kinds: ['batch'], from: peer, isAskedFor: false }),
    [],
  )
  clock.ms += 4_000
  assert.equal(
    admission.verifyEach({ frames: [bytes], kinds: ['batch'], from: peer, isAskedFor: false }).length,
    1,
  )
})

test('leaves out of a reply what is not valid or not of its kinds, and blames the sender', () => {
  const { admission, conduct } = aDoor()
  const vote = encodeFrame(voteOf(1))
  const batch = encodeFrame({ kind: 'batch', batch: chain.batch() })
  const frames = [vote, batch, flipped(vote, vote.length - 1), Uint8Array.of(0)]
  const verified = admission.verifyEach({ frames, kinds: ['vote'], from: peer, isAskedFor: true })
  assert.deepEqual(
    verified.map(({ kind }) => kind),
    ['vote'],
  )
  assert.equal(conduct.invalidCountOf(peer), 3)
})

test('leaves out of a reply, without blame, what is of a height that is over or beyond the next', () => {
  const { admission, conduct, counters } = aDoor({ final: 10 })
  const frames = [9, 10, 11, 12, 13, 2 ** 52].map((height) => encodeFrame(voteOf(height)))
  const evidence = encodeFrame({ kind: 'evidence', evidence: chain.evidence() })
  const taken = admission.verifyEach({
    frames: [...frames, evidence],
    kinds: ['vote', 'evidence'],
    from: peer,
    isAskedFor: true,
  })
  assert.deepEqual(
    taken.map((frame) => (frame.kind === 'vote' ? frame.vote.height : frame.kind)),
    [11, 12, 'evidence'],
  )
  assert.deepEqual([counters.of('ignored_old'), counters.of('ignored_ahead')], [2, 2])
  assert.equal(conduct.invalidCountOf(peer), 0)
})

test('does not take its own frames from others', async () => {
  const { admission, admit, frames } = aDoor()
  const frame = voteOf(1)
  admission.remember(encodeFrame(frame))
  assert.equal(admit(frame), 'accept')
  await Promise.resolve()
  assert.equal(frames.length, 0)
})

test('a message of several frames is forwarded only where every one of them is good for those who have use for it', () => {
  const good = encodeFrame({ kind: 'batch', batch: chain.batch() })
  const bundleOf = (...frames: Uint8Array[]) => encodeBundle(frames)
  const bad = (height: number) => {
    const bytes = encodeFrame(voteOf(height))
    return flipped(bytes, bytes.length - 1)
  }
  const admitMessage = (final: number, bytes: Uint8Array, framesPerSecond = 1_000) => {
    const { admission, conduct } = aDoor({ final, framesPerSecond })
    // A height far ahead was told of just now: the next such frame is of no use here.
    admission.admit({ channel: 'direct', bytes: encodeFrame(voteOf(1_000)), from: peer })
    const verdict = admission.admitMessage({ channel: 'commitments', bytes, from: peer })
    return { verdict, blamed: conduct.invalidCountOf(peer) }
  }
  const fresh = encodeFrame(voteOf(11))
  assert.deepEqual(admitMessage(10, bundleOf(fresh, encodeFrame(voteOf(9)))), {
    verdict: 'accept',
    blamed: 0,
  })
  for (const height of [9, 900]) {
    assert.deepEqual(
      admitMessage(10, bundleOf(fresh, bad(height))),
      { verdict: 'reject', blamed: 1 },
      `at height ${height} it is of no use here, but elsewhere it may be, and would be blamed on this node`,
    )
  }
  assert.equal(admitMessage(10, bundleOf(good, fresh)).verdict, 'reject')
  // Four seconds' worth at once: the vote before, and three of the bundle.
  const four = [11, 12].flatMap((height) => [encodeFrame(voteOf(height)), encodeFrame(otherVoteOf(height))])
  assert.equal(admitMessage(10, bundleOf(...four), 1).verdict, 'ignore', 'the last was not looked at')
})

function otherVoteOf(height: number): Frame {
  return { kind: 'vote', vote: chain.vote({ kind: 'notarize', height, view: 0, blockId: aBlockId }) }
}

test('a frame that is known is blamed all the same on a topic where it does not belong', () => {
  const { admit, conduct } = aDoor({ final: 10 })
  assert.equal(admit(voteOf(11)), 'accept')
  assert.equal(admit(voteOf(11), 'messages'), 'reject', 'those it would be forwarded to blame this node')
  assert.equal(conduct.invalidCountOf(peer), 1)
})

const otherBlock = (digit: string) => digit.repeat(64) as BlockId

test('of each thing that a validator can say two versions are handed on: the second convicts it, more say nothing new', async () => {
  const { admission, frames, counters, conduct } = aDoor()
  const voteFor = (digit: string, view = 0): Frame => ({
    kind: 'vote',
    vote: chain.vote({ kind: 'notarize', height: 1, view, blockId: otherBlock(digit) }),
  })
  const admit = (frame: Frame) =>
    admission.admitMessage({ channel: 'commitments', bytes: encodeFrame(frame), from: peer })
  assert.deepEqual(
    ['1', '2', '3', '4', '1'].map((digit) => admit(voteFor(digit))),
    ['accept', 'accept', 'ignore', 'ignore', 'accept'],
  )
  assert.equal(admit(voteFor('5', 1)), 'accept', 'another view is another thing')
  const commitments = [1, 2, 3].map(
    (time): Frame => ({
      kind: 'pool-commitment',
      commitment: chain.commitment({ time: 10 * time }),
    }),
  )
  assert.deepEqual(commitments.map(admit), ['accept', 'accept', 'ignore'])
  const evidence = [1, 2, 3].map(
    (height): Frame => ({ kind: 'evidence', evidence: chain.evidence(2, height) }),
  )
  assert.deepEqual(evidence.slice(0, 2).map(admit), ['accept', 'accept'])
  assert.equal(counters.of('ignored_repeated'), 3)
  assert.equal(conduct.invalidCountOf(peer), 0, 'whoever forwards it may have seen it first')
  await Promise.resolve()
  assert.equal(frames.length, 7)
})

test('a certificate is handed on once, with whatever signers it comes: anybody can write it down anew', async () => {
  const { admit, frames, counters } = aDoor()
  const ofSigners = (...signers: number[]): Frame => ({
    kind: 'certificate',
    certificate: chain.certificate({ kind: 'nullify', height: 1, view: 0 }, signers),
  })
  assert.equal(admit(ofSigners(0, 1, 2), 'commitments'), 'accept')
  for (const signers of [
    [0, 1, 3],
    [1, 2, 3],
    [0, 1, 2, 3],
  ])
    assert.equal(admit(ofSigners(...signers), 'commitments'), 'ignore')
  assert.equal(counters.of('ignored_repeated'), 3)
  await Promise.resolve()
  assert.equal(frames.length, 1)
})

test('of a proposal some versions are handed on, and from its leader’s own stream any number is heard', () => {
  const leader = chain.genesis.validators[0]?.peerId ?? assert.fail()
  const { admission } = aDoor()
  const block = chain.block({ view: 1 })
  const signers = [
    [0, 1, 2],
    [0, 1, 3],
    [0, 2, 3],
    [1, 2, 3],
    [0, 1, 2, 3],
  ]
  const versions = signers.map((those) => {
    const justification = [chain.certificate({ kind: 'nullify', height: 1, view: 0 }, those)]
    return encodeFrame({ kind: 'proposal', proposal: chain.proposal({ block, justification }) })
  })
  const admitAll = (channel: Channel, from: PeerId) =>
    versions.map((bytes) => admission.admit({ channel, bytes, from }))
  const four = ['accept', 'accept', 'accept', 'accept']
  assert.deepEqual(admitAll('proposals', peer), [...four, 'ignore'])
  assert.deepEqual(admitAll('direct', peer), [...four, 'ignore'], 'not from others')
  assert.deepEqual(admitAll('direct', leader), [...four, 'accept'])
})

test('votes and proposals of views that the core does not look at yet are not handed on; certificates are', () => {
  const { admit, counters } = aDoor({ viewMax: 8 })
  const voteAt = (height: number, view: number): Frame => ({
    kind: 'vote',
    vote: chain.vote({ kind: 'nullify', height, view }),
  })
  assert.deepEqual([admit(voteAt(1, 8)), admit(voteAt(1, 9))], ['accept', 'ignore'])
  assert.deepEqual([admit(voteAt(2, 1)), admit(voteAt(2, 2))], ['accept', 'ignore'], 'of the next height')
  const certificate = chain.certificate({ kind: 'nullify', height: 1, view: 900 })
  assert.equal(admit({ kind: 'certificate', certificate }), 'accept')
  assert.equal(counters.of('ignored_far-view'), 2)
})

test('a proposal by another than the leader is not handed on, where it is known who leads', () => {
  const { admit, counters, conduct } = aDoor({ viewMax: 8, leaderOf: (view) => (view + 1) % 4 })
  const proposalBy = (leader: number, height = 1): Frame => ({
    kind: 'proposal',
    proposal: chain.proposal({ block: chain.block({ height, leader }) }),
  })
  assert.deepEqual(
    [0, 1, 2].map((leader) => admit(proposalBy(leader))),
    ['ignore', 'accept', 'ignore'],
  )
  assert.equal(admit(proposalBy(0, 2)), 'accept', 'of the next height nobody knows')
  assert.equal(counters.of('ignored_not-leader'), 2)
  assert.equal(conduct.invalidCountOf(peer), 0)
})

test('what was said of heights that are over is forgotten', () => {
  let final = 0
  const statements = new Statements()
  const vote = (height: number) => voteOf(height)
  const isTaken = (frame: Frame) => {
    const isUseful = statements.uselessnessOf(frame, { final }) === undefined
    if (isUseful) statements.note(frame, { final })
    return isUseful
  }
  assert.deepEqual(
    [1, 1, 1].map((height) => isTaken(vote(height))),
    [true, true, false],
  )
  for (let height = 1; height < 500; height++) {
    final = height
    isTaken(vote(height + 1))
  }
  assert.ok(statements.heightCount <= 2)
})

test('batches, however many come, take none of the room for votes, nor do replies that were asked for', () => {
  const { admit, admission, counters } = aDoor({ framesPerSecond: 10 })
  const batchOf = (text: string) => encodeFrame({ kind: 'batch', batch: chain.batch({ text }) })
  const flood = Array.from({ length: 60 }, (_, at) => batchOf(`flood ${at}`))
  const verdicts = flood.map((bytes) => admission.admit({ channel: 'messages', bytes, from: peer }))
  assert.equal(verdicts.filter((verdict) => verdict === 'accept').length, 40)
  assert.equal(counters.of('ignored_rate'), 20)
  assert.equal(admit(voteOf(1)), 'accept')
  const asked = { frames: [batchOf('asked for')], kinds: ['batch'] as const, from: peer }
  assert.equal(admission.verifyEach({ ...asked, isAskedFor: true }).length, 1)
  assert.equal(admission.verifyEach({ ...asked, isAskedFor: false }).length, 0)
})
