// Protocol §3.3, what a leader waits for, and §3.6, what it proposes. What is in the block is sequencing's.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aBlock,
  aCoreWithContext,
  aNotarization,
  aNullification,
  only,
  proposalsIn,
  type TestCore,
  timersIn,
  votesIn,
} from '../support/consensus.ts'

const built = (view: number, name = 'A', leader = view) =>
  ({ kind: 'block-built', height: 1, view, block: aBlock({ name, view, leader }) }) as const
const attachedIn = (core: TestCore) =>
  only(core.said, 'build-block').map(({ commitments }) => commitments.map(({ validator }) => validator))

describe('the leader waits for commitments of a quorum', () => {
  test('of exactly Q, not of Q − 1', () => {
    const core = aCoreWithContext({ self: 0, demoted: [3] })
    core.getsCommitmentsOf([0, 1])
    assert.deepEqual(attachedIn(core), [])
    core.getsCommitmentsOf([2])
    assert.deepEqual(attachedIn(core), [[0, 1, 2]])
  })

  test('counting power: three of four are not enough without the strong one', () => {
    // W = 10, Q = 7.
    const options = { powers: [4, 1, 2, 3], self: 1, leaders: [1, 0, 2, 3] }
    const weak = aCoreWithContext(options)
    weak.getsCommitmentsOf([1, 2, 3])
    weak.graceEnds()
    assert.deepEqual(attachedIn(weak), [])
    const strong = aCoreWithContext(options)
    strong.getsCommitmentsOf([0, 3])
    strong.graceEnds()
    assert.deepEqual(attachedIn(strong), [[0, 3]])
  })

  test('of three in the crash model at n = 4 too', () => {
    const core = aCoreWithContext({ self: 0, faultModel: 'crash' })
    core.graceEnds()
    core.getsCommitmentsOf([0, 1])
    assert.deepEqual(attachedIn(core), [])
    core.getsCommitmentsOf([2])
    assert.deepEqual(attachedIn(core), [[0, 1, 2]])
  })

  test('and does not give its view up while it waits', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCommitmentsOf([0, 1])
    assert.deepEqual(core.votes, [])
  })
})

describe('the leader gives the others a short grace', () => {
  test('and attaches what came in it, in the order of validators', () => {
    const core = aCoreWithContext({ self: 0, powers: [1, 1, 1, 1, 1, 1, 1] })
    core.getsCommitmentsOf([6, 4, 2, 0, 1])
    assert.equal(timersIn(core.said).includes('grace'), true)
    core.getsCommitmentsOf([5])
    assert.deepEqual(attachedIn(core), [])
    core.graceEnds()
    assert.deepEqual(attachedIn(core), [[0, 1, 2, 4, 5, 6]])
  })

  test('which is over when all have committed', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCommitmentsOf([3, 2, 1, 0])
    assert.deepEqual(attachedIn(core), [[0, 1, 2, 3]])
  })

  test('which is armed once', () => {
    const core = aCoreWithContext({ self: 0, powers: [1, 1, 1, 1, 1, 1, 1] })
    core.getsCommitmentsOf([0, 1, 2, 3, 4, 5])
    assert.equal(timersIn(core.said).filter((timer) => timer === 'grace').length, 1)
  })

  test('in view 0 only: a later one has waited already', () => {
    const core = aCoreWithContext({ self: 1 })
    core.getsCommitmentsOf([0, 1, 2])
    core.getsCertificate(aNullification(0))
    assert.deepEqual(attachedIn(core), [[0, 1, 2]])
  })
})

describe('the leader attaches at most one commitment of each validator', () => {
  test('the first that it got', () => {
    const core = aCoreWithContext({ self: 0, demoted: [3] })
    core.getsCommitmentsOf([1, 1, 1, 1])
    assert.deepEqual(attachedIn(core), [])
    core.getsCommitmentsOf([0, 2])
    assert.deepEqual(attachedIn(core), [[0, 1, 2]])
  })
})

describe('the leader proposes once a view', () => {
  test('a fresh block with its content and U of every view below', () => {
    const core = aCoreWithContext({ self: 2 })
    core.getsCommitmentsOf([0, 1, 2])
    core.getsCertificate(aNullification(0))
    core.getsCertificate(aNullification(1))
    const outputs = core.gets(built(2), built(2, 'B'))
    assert.deepEqual(proposalsIn(outputs), ['2 A fresh'])
    const [{ proposal } = { proposal: undefined }] = only(outputs, 'sign-proposal')
    assert.deepEqual(
      proposal?.justification.map(({ kind, view }) => `${kind} ${view}`),
      ['nullification 0', 'nullification 1'],
    )
  })

  test('nobody but the leader of the view', () => {
    const core = aCoreWithContext({ self: 1 })
    core.getsCommitmentsOf([0, 1, 2, 3])
    core.graceEnds()
    assert.deepEqual(attachedIn(core), [])
  })
})

describe('the leader repeats the highest notarized block that it can justify', () => {
  test('by id, with N and U of every view between', () => {
    const core = aCoreWithContext({ self: 3 })
    core.getsCertificate(aNotarization(0, 'A'))
    core.getsCertificate(aNotarization(1, 'B'))
    core.getsCertificate(aNullification(1))
    const outputs = core.getsCertificate(aNullification(2))
    assert.deepEqual(proposalsIn(outputs), ['3 B again'])
    const [{ proposal } = { proposal: undefined }] = only(outputs, 'sign-proposal')
    assert.deepEqual(
      proposal?.justification.map(({ kind, view }) => `${kind} ${view}`),
      ['notarization 1', 'nullification 2'],
    )
  })

  test('without waiting for commitments', () => {
    const core = aCoreWithContext({ self: 1 })
    core.getsCertificate(aNotarization(0))
    assert.deepEqual(proposalsIn(core.finalizeTimerEnds(0)), ['1 A again'])
  })

  test('without having the block: whoever notarized it can serve it', () => {
    const core = aCoreWithContext({ self: 1 })
    core.getsCertificate(aNotarization(0))
    assert.deepEqual(
      only(core.said, 'fetch-block').map(({ holders }) => holders),
      [[0, 1, 2]],
    )
    assert.deepEqual(proposalsIn(core.finalizeTimerEnds(0)), ['1 A again'])
  })

  test('after it got the certificates that it lacks, and not before', () => {
    const core = aCoreWithContext({ self: 3 })
    core.getsCommitmentsOf([0, 1, 2])
    const outputs = core.getsCertificate(aNullification(2))
    assert.equal(core.state.view, 3)
    assert.ok(only(outputs, 'fetch-view').length > 0)
    assert.deepEqual(attachedIn(core), [])
    assert.deepEqual(proposalsIn(core.getsCertificate(aNotarization(1))), ['3 A again'])
  })

  test('and makes a fresh one when it turns out that every view below was nullified', () => {
    const core = aCoreWithContext({ self: 3 })
    core.getsCommitmentsOf([0, 1, 2])
    core.getsCertificate(aNullification(2))
    core.getsCertificate(aNullification(0))
    assert.deepEqual(attachedIn(core), [])
    core.getsCertificate(aNullification(1))
    assert.deepEqual(attachedIn(core), [[0, 1, 2]])
  })
})

describe('a leader that knows it will not propose gives its view up at once', () => {
  test('when batches cannot be got', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCommitmentsOf([0, 1, 2, 3])
    const outputs = core.gets({ kind: 'block-unbuildable', height: 1, view: 0 })
    assert.deepEqual(votesIn(outputs), ['nullify 0'])
    assert.deepEqual(proposalsIn(core.gets(built(0))), [])
  })

  test('but not after it proposed', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCommitmentsOf([0, 1, 2, 3])
    core.gets(built(0))
    assert.deepEqual(votesIn(core.gets({ kind: 'block-unbuildable', height: 1, view: 0 })), [])
  })
})

test('a leader notarizes its own proposal', () => {
  const core = aCoreWithContext({ self: 0 })
  core.getsCommitmentsOf([0, 1, 2, 3])
  core.gets(built(0))
  core.getsProposal({ block: aBlock() })
  assert.deepEqual(core.votes, ['notarize 0 A'])
})
