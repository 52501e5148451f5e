// Protocol §6.1 and §6.2 within small bounds, and the liveness of §3.6 from the states found there: every schedule,
// not some. See test/support/search.ts for what a state is, what is left out and why that loses nothing.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { thresholdsOf } from '../../src/quorum/index.ts'
import {
  finalizesAfterNullify,
  forgetsWhatItSigned,
  ignoresJustification,
  movesOnWithoutCertificate,
  notarizesTwice,
  nullifiesAfterFinalize,
} from '../support/mutants.ts'
import { Random } from '../support/random.ts'
import { type SearchOptions, type SearchResult, search } from '../support/search.ts'
import { cloneCore, savedOf } from '../support/search-core.ts'
import { Universe } from '../support/search-universe.ts'
import { VotingWorld } from '../support/voting-world.ts'

/** All of it: the states are fewer than this many. */
const unbounded = 5_000_000
const whole = {
  viewsMax: 2,
  statesMax: unbounded,
  withRestarts: true,
  isReduced: true,
  isMinimised: true,
} as const

function report(options: SearchOptions, result: SearchResult): string {
  const { statesCount, nodesCount, isComplete } = result
  const extent = isComplete ? 'all' : 'the first drawn of the'
  return `liar ${options.liar}, ${options.viewsMax} views: ${extent} states, ${statesCount} of them, made of ${nodesCount}`
}

describe('every schedule of two views, with four validators, one of which lies, crashes and restarts', () => {
  // Validator v leads view v: the liar leads the first view, the second, or none.
  for (const { liar, statesMin } of [
    { liar: 0, statesMin: 700_000 },
    { liar: 1, statesMin: 400_000 },
    { liar: 2, statesMin: 130_000 },
    { liar: 3, statesMin: 130_000 },
  ]) {
    test(`keeps agreement with validator ${liar} lying`, (context) => {
      const options = { ...whole, liar }
      const result = search(options)
      context.diagnostic(report(options, result))
      assert.equal(result.violation, undefined)
      assert.equal(result.isComplete, true)
      assert.ok(result.statesCount >= statesMin, `only ${result.statesCount} states`)
      assert.deepEqual([...result.finalViews].sort(), [0, 1], 'a block can be final in either view')
    })
  }
})

describe('schedules of three views, as many as fit', () => {
  for (const liar of [0, 1, 2, 3]) {
    test(`keep agreement with validator ${liar} lying`, (context) => {
      const random = new Random(liar)
      const options = { liar, viewsMax: 3, statesMax: 400_000, withRestarts: true, isReduced: true, random }
      const result = search(options)
      context.diagnostic(report(options, result))
      assert.equal(result.violation, undefined)
      assert.ok(result.statesCount >= 400_000, `only ${result.statesCount} states`)
      assert.ok(result.finalViews.has(2), 'it gets as far as a finalization of the third view')
    })
  }
})

describe('schedules of two views in which nothing is left out, as many as fit', () => {
  for (const liar of [0, 1, 2, 3]) {
    test(`keep agreement with validator ${liar} lying`, (context) => {
      const options = { liar, viewsMax: 2, statesMax: 200_000, withRestarts: true, random: new Random(liar) }
      const result = search(options)
      context.diagnostic(report(options, result))
      assert.equal(result.violation, undefined)
      assert.ok(result.statesCount >= 200_000, `only ${result.statesCount} states`)
    })
  }
})

describe('the search finds', () => {
  const powers = [1, 1, 1, 1]
  const right = thresholdsOf(powers, 'byzantine')
  const mutants: readonly {
    readonly fault: string
    readonly options: Partial<SearchOptions> & { liar: number }
    readonly violation: RegExp
  }[] = [
    {
      fault: 'a quorum that is one too small',
      options: { liar: 0, thresholds: { ...right, quorum: right.quorum - 1 } },
      violation: /two blocks/,
    },
    {
      fault: 'finalize after nullify',
      options: { liar: 3, step: finalizesAfterNullify },
      violation: /contradicting votes/,
    },
    {
      fault: 'nullify after finalize',
      options: { liar: 3, step: nullifiesAfterFinalize },
      violation: /contradicting votes/,
    },
    {
      fault: 'a second notarize in a view',
      options: { liar: 0, step: notarizesTwice },
      violation: /contradicting votes|one vote twice/,
    },
    {
      fault: 'a proposal that is not justified and is notarized',
      options: { liar: 1, step: ignoresJustification },
      violation: /two blocks/,
    },
    {
      fault: 'a view that is left without a certificate',
      options: { liar: 1, step: movesOnWithoutCertificate },
      violation: /two blocks|nullified/,
    },
    {
      fault: 'a restart that forgets what was signed',
      options: { liar: 0, step: forgetsWhatItSigned },
      violation: /contradicting votes|one vote twice/,
    },
  ]
  for (const { fault, options, violation } of mutants) {
    test(fault, () => {
      const result = search({ ...whole, isMinimised: false, random: new Random(1), ...options })
      assert.match(result.violation ?? 'nothing', violation)
    })
  }
})

describe('from states that the search found', () => {
  for (const liar of [0, 1, 2, 3]) {
    test(`a timely network ends the height within two more views, validator ${liar} having fallen silent`, (context) => {
      const options = { liar, viewsMax: 3, withRestarts: true, isReduced: true }
      const result = search({ ...options, statesMax: 60_000, random: new Random(liar) })
      let tried = 0
      for (let at = 0; at < result.statesCount; at += 101) {
        // Beyond its bounds the search arms no timer and sends no proposal.
        if (result.stateAt(at).some(({ core }) => core.view >= options.viewsMax)) continue
        tried += 1
        const viewsNeeded = worldFrom(options, result, at).becomeTimely(2)
        // The view that was under way, the silent validator's, and one more.
        assert.ok(viewsNeeded <= 2, `state ${at} needed ${viewsNeeded} more views`)
      }
      context.diagnostic(`${tried} states gone on from`)
      assert.ok(tried >= 100, `only ${tried} states`)
    })
  }
})

/** The validators of a state that was found, in a network of their own. */
function worldFrom(
  options: { readonly liar: number; readonly viewsMax: number },
  result: SearchResult,
  at: number,
): VotingWorld {
  const universe = new Universe(options)
  const world = new VotingWorld({
    powers: [1, 1, 1, 1],
    faultModel: 'byzantine',
    liars: [options.liar],
    random: new Random(at),
    leaders: universe.leaders,
  })
  for (const block of universe.blocks) world.addBlock(block)
  for (const [index, found] of result.stateAt(at).entries()) {
    const node = world.nodes[index]
    assert.ok(node !== undefined)
    const { certificates, blocks, votes, proposals } = savedOf(found, universe)
    for (const vote of votes) world.ledger.addVote(vote)
    node.disk.certificates.push(...certificates)
    for (const block of blocks) node.disk.blocks.set(block.id, block)
    node.disk.votes.push(...votes)
    node.disk.proposals.push(...proposals)
    const block = universe.blocks.find(({ header }) => header.view === found.building)
    const built = block && { kind: 'block-built' as const, height: 1, view: block.header.view, block }
    const core = cloneCore(found.core)
    restoreOwnVotes(core, votes)
    node.adopt({ core, timers: found.timers, answers: built === undefined ? [] : [built] })
  }
  return world
}

/** The search keeps no tallies; a validator's own votes are what it pushes to its peers. */
function restoreOwnVotes(
  core: ReturnType<typeof cloneCore>,
  votes: ReturnType<typeof savedOf>['votes'],
): void {
  for (const vote of votes) {
    const view = core.views.get(vote.view)
    if (vote.kind === 'nullify') view?.nullifies.set(vote.validator, vote)
    else if (vote.kind === 'notarize') view?.notarizes.set(vote.validator, vote as never)
    else view?.finalizes.set(vote.validator, vote as never)
  }
}
