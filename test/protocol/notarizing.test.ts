// Protocol §3.6: which proposals are valid, and notarize(v, B).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aBlock,
  aCoreWithContext,
  aFinalization,
  aNotarization,
  aNullification,
  aProposal,
  only,
  type TestCore,
  votesIn,
} from '../support/consensus.ts'

const valid = (block: ReturnType<typeof aBlock>) =>
  ({ kind: 'block-checked', blockId: block.id, valid: true }) as const
const inView = (view: number): TestCore => {
  const core = aCoreWithContext()
  for (let below = 0; below < view; below++) core.getsCertificate(aNullification(below))
  return core
}

describe('a proposal is valid if it comes from the leader of its view', () => {
  test('and is notarized then', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(core.votes, ['notarize 0 A'])
  })

  test('and is not looked at where another sent it', () => {
    const core = aCoreWithContext()
    assert.deepEqual(core.getsProposal({ block: aBlock(), leader: 1 }), [])
  })

  test('and its block was made by the leader of the view in which it was made', () => {
    const core = inView(1)
    core.getsCheckedProposal({ block: aBlock({ view: 1, leader: 2 }), leader: 1 })
    assert.deepEqual(core.votes, [])
  })
})

describe('a fresh proposal is valid with U(0) … U(v−1)', () => {
  const block = aBlock({ name: 'C', view: 2 })

  test('attached to it', () => {
    const core = aCoreWithContext()
    const justification = [aNullification(0), aNullification(1)]
    core.getsCheckedProposal({ block, justification })
    assert.deepEqual(core.votes, ['notarize 2 C'])
  })

  test('or known before', () => {
    const core = inView(2)
    core.getsCheckedProposal({ block })
    assert.deepEqual(core.votes, ['notarize 2 C'])
  })

  for (const missing of [0, 1]) {
    test(`and not while U(${missing}) is missing, which is asked for and then does`, () => {
      const core = aCoreWithContext()
      // N leads to view 2 too where U(1) is the one that is missing.
      if (missing === 1) {
        core.getsCertificate(aNullification(0))
        core.getsCertificate(aNotarization(1, 'B'))
        core.finalizeTimerEnds(1)
      } else core.getsCertificate(aNullification(1))
      const outputs = core.getsProposal({ block })
      assert.ok(only(outputs, 'fetch-view').length > 0)
      assert.deepEqual(only(outputs, 'check-block'), [])
      core.getsCertificate(aNullification(missing))
      core.gets(valid(block))
      assert.deepEqual(core.votes.at(-1), 'notarize 2 C')
    })
  }

  test('and not with N in place of a U', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(0, 'A'))
    core.finalizeTimerEnds(0)
    core.getsCheckedProposal({ block: aBlock({ name: 'B', view: 1 }) })
    assert.deepEqual(core.votes, ['finalize 0 A'])
  })
})

describe('a repeated proposal is valid with N(v′, B) and U(v′+1) … U(v−1)', () => {
  const block = aBlock()

  test('attached to it', () => {
    const core = aCoreWithContext()
    const justification = [aNotarization(0), aNullification(1), aNullification(2)]
    core.getsCheckedProposal({ block, view: 3, justification })
    assert.deepEqual(core.votes.at(-1), 'notarize 3 A')
  })

  test('though it was nullified in v′ itself, and views below it are unknown', () => {
    const core = aCoreWithContext()
    const justification = [aNotarization(1), aNullification(1), aNullification(2)]
    const early = aBlock({ name: 'A', view: 0 })
    core.getsCheckedProposal({ block: early, view: 3, justification })
    assert.deepEqual(core.votes.at(-1), 'notarize 3 A')
  })

  test('and not while U(1) is missing', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(0))
    core.getsCertificate(aNullification(2))
    const outputs = core.getsCheckedProposal({ block, view: 3 })
    assert.deepEqual(votesIn(outputs), [])
    assert.ok(only(outputs, 'fetch-view').length > 0)
    core.getsCertificate(aNullification(1))
    core.gets(valid(block))
    assert.equal(core.votes.at(-1), 'notarize 3 A')
  })

  test('and not while U(2) is missing, N(2) of another block in its place', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(0))
    core.getsCertificate(aNullification(1))
    core.getsCertificate(aNotarization(2, 'B'))
    core.finalizeTimerEnds(2)
    assert.deepEqual(votesIn(core.getsCheckedProposal({ block, view: 3 })), [])
    core.getsCertificate(aNullification(2))
    core.gets(valid(block))
    assert.equal(core.votes.at(-1), 'notarize 3 A')
  })

  test('and not without N of that very block', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(0, 'B'))
    core.finalizeTimerEnds(0)
    core.getsCheckedProposal({ block, view: 1 })
    assert.deepEqual(core.votes, ['finalize 0 B'])
    assert.equal(core.state.view, 1)
  })

  test('and not by U alone: a block of a lower view is not fresh', () => {
    const core = inView(1)
    core.getsCheckedProposal({ block, view: 1 })
    assert.deepEqual(core.votes, [])
  })

  test('and not if its block says it is of a view to come', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock({ view: 3 }), view: 0 })
    assert.deepEqual(core.votes, [])
  })

  test('sent by id, after it is fetched from the leader', () => {
    const core = aCoreWithContext()
    const justification = [aNotarization(0)]
    core.getsProposal({ block, view: 1, justification, byId: true })
    core.finalizeTimerEnds(0)
    assert.ok(only(core.said, 'fetch-block').some(({ holders }) => holders.includes(1)))
    core.gets({ kind: 'block', block }, valid(block))
    assert.deepEqual(core.votes.at(-1), 'notarize 1 A')
  })
})

describe('notarize(v, B) is sent at most once a view', () => {
  test('for the first proposal; a second of the leader is evidence', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    const outputs = core.getsCheckedProposal({ block: aBlock({ name: 'B' }) })
    assert.deepEqual(core.votes, ['notarize 0 A'])
    const [evidence] = only(outputs, 'evidence')
    assert.deepEqual(
      evidence?.pair.map((item) => item.kind === 'proposal' && item.proposal.blockId),
      [aBlock().id, aBlock({ name: 'B' }).id],
    )
  })

  test('not again for the same proposal, which is no evidence', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    const outputs = core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(core.votes, ['notarize 0 A'])
    assert.deepEqual(only(outputs, 'evidence'), [])
  })

  test('but of one block again in another view', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    core.getsCertificate(aNotarization(0))
    core.finalizeTimerEnds(0)
    core.getsProposal({ block: aBlock(), view: 1, byId: true })
    assert.deepEqual(core.votes, ['notarize 0 A', 'finalize 0 A', 'notarize 1 A'])
  })
})

describe('notarize(v, B) is sent with every batch of B in hand', () => {
  test('and not before the driver says so', () => {
    const core = aCoreWithContext()
    const outputs = core.getsProposal({ block: aBlock() })
    assert.deepEqual(
      only(outputs, 'check-block').map(({ block }) => block),
      [aBlock()],
    )
    assert.deepEqual(core.votes, [])
    assert.deepEqual(votesIn(core.gets(valid(aBlock()))), ['notarize 0 A'])
  })

  test('and never where B is not what it must be', () => {
    const core = aCoreWithContext()
    core.getsProposal({ block: aBlock() })
    core.gets({ kind: 'block-checked', blockId: aBlock().id, valid: false }, valid(aBlock()))
    core.getsProposal({ block: aBlock() })
    assert.deepEqual(core.votes, [])
  })

  test('and not for a view that is over when they come', () => {
    const core = aCoreWithContext()
    core.getsProposal({ block: aBlock() })
    core.getsCertificate(aNullification(0))
    core.gets(valid(aBlock()))
    assert.deepEqual(core.votes, [])
  })
})

describe('votes are cast in the current view only', () => {
  test('a proposal first seen for a view ahead is voted on when that view is entered', () => {
    const core = aCoreWithContext()
    core.getsProposal({ block: aBlock({ view: 2, name: 'C' }) })
    assert.deepEqual(
      core.said.filter(({ kind }) => kind === 'check-block'),
      [],
    )
    core.getsCertificate(aNullification(0))
    core.getsCertificate(aNullification(1))
    core.gets(valid(aBlock({ view: 2, name: 'C' })))
    assert.deepEqual(core.votes, ['notarize 2 C'])
  })

  test('one of a view that is over is not', () => {
    const core = inView(1)
    core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(core.votes, [])
  })

  test('one more than 8 views ahead is let go, until its certificates bring that view near', () => {
    const far = aBlock({ view: 9, leader: 1 })
    const core = aCoreWithContext()
    core.getsProposal({ block: far, leader: 1 })
    assert.equal(core.state.views.size, 0)
    const justification = Array.from({ length: 9 }, (_, view) => aNullification(view))
    core.gets({ kind: 'proposal', proposal: aProposal({ block: far, leader: 1, justification }) }, valid(far))
    assert.deepEqual(core.votes, ['notarize 9 A'])
  })
})

describe('after nullify(v), notarize(v, B)', () => {
  test('is allowed', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([1, 2], { kind: 'nullify' })
    core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(core.votes, ['nullify 0', 'notarize 0 A'])
  })
})

describe('where the leader showed me one block and others another', () => {
  test('the one that they notarized is fetched from them, and finalized', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    const outputs = core.getsCertificate(aNotarization(0, 'B'))
    assert.deepEqual(
      only(outputs, 'fetch-block').map(({ holders }) => holders),
      [[0, 1, 2]],
    )
    assert.deepEqual(core.votes, ['notarize 0 A', 'finalize 0 B'])
    const block = aBlock({ name: 'B' })
    core.gets({ kind: 'block', block })
    assert.equal(core.state.blocks.get(block.id)?.block, block)
    core.finalizeTimerEnds(0)
    core.getsProposal({ block, view: 1, byId: true })
    core.gets(valid(block))
    assert.deepEqual(core.votes.at(-1), 'notarize 1 B')
    assert.deepEqual(only(core.getsCertificate(aFinalization(0, 'B')), 'finalise')[0]?.block, block)
  })

  test('a block that nobody proposed or notarized is not kept', () => {
    const core = aCoreWithContext()
    core.gets({ kind: 'block', block: aBlock() })
    assert.equal(core.state.blocks.size, 0)
  })
})

test('a node that is no validator checks proposals and votes nothing', () => {
  const core = aCoreWithContext({ self: 'watcher' })
  core.getsCheckedProposal({ block: aBlock() })
  core.getsVotesOf([0, 1], { kind: 'nullify' })
  core.getsCertificate(aNotarization(0))
  assert.deepEqual(core.votes, [])
})
