// Protocol §6.1, §6.2 and §6.6 where an exhaustive search does not reach: four to seven validators of unequal power,
// liars up to l, crashes and restarts in the midst of saving, signing and sending, loss, duplication, long heights.
// One schedule again: SCHEDULE=17 node --test test/protocol/random-schedules.test.ts
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  finalizesAfterNullify,
  forgetsWhatItSigned,
  ignoresJustification,
  movesOnWithoutCertificate,
  notarizesTwice,
} from '../support/mutants.ts'
import { runSchedule, type ScheduleResult } from '../support/schedules.ts'
import type { CoreStep } from '../support/voting-node.ts'

const wanted = process.env.SCHEDULE
const schedulesCount = 3_000
const seeds =
  wanted === undefined ? Array.from({ length: schedulesCount }, (_, seed) => seed) : [Number(wanted)]

function run(seed: number, step?: CoreStep): ScheduleResult {
  try {
    return runSchedule(seed, step === undefined ? {} : { step })
  } catch (error) {
    throw new Error(`SCHEDULE=${seed}: ${(error as Error).message}`, { cause: error })
  }
}

test('agreement, single signatures and liveness hold in random schedules', (context) => {
  const results = seeds.map((seed) => run(seed))
  const sum = (of: (result: ScheduleResult) => number) =>
    results.reduce((total, result) => total + of(result), 0)
  const heights = sum(({ heightsFinal }) => heightsFinal)
  const crashes = sum(({ crashCount }) => crashCount)
  const viewHighest = Math.max(...results.map((result) => result.viewHighest))
  context.diagnostic(
    `${results.length} schedules, ${heights} heights, ${crashes} crashes, views up to ${viewHighest}`,
  )
  if (wanted !== undefined) return
  // Schedules that stop testing anything must not pass unseen.
  assert.ok(heights > 2.2 * schedulesCount, `${heights} heights`)
  assert.ok(crashes > schedulesCount, `${crashes} crashes`)
  assert.ok(viewHighest > 20, `views up to ${viewHighest}`)
})

describe('random schedules find', () => {
  const mutants: Record<string, { step: CoreStep; error: RegExp }> = {
    'finalize after nullify': { step: finalizesAfterNullify, error: /signed twice|finalised and nullified/ },
    'a second notarize in a view': { step: notarizesTwice, error: /signed twice/ },
    'a proposal that is not justified and is notarized': {
      step: ignoresJustification,
      error: /two blocks|is notarized|finalised and nullified/,
    },
    'a view that is left without a certificate': { step: movesOnWithoutCertificate, error: /./ },
    'a restart that forgets what was signed': { step: forgetsWhatItSigned, error: /signed twice/ },
  }
  for (const [fault, { step, error }] of Object.entries(mutants)) {
    test(fault, (context) => {
      const seed = Array.from({ length: 2_000 }, (_, at) => at).find((at) => {
        try {
          runSchedule(at, { step })
          return false
        } catch (found) {
          return error.test((found as Error).message)
        }
      })
      assert.ok(seed !== undefined)
      context.diagnostic(`found in schedule ${seed}`)
    })
  }
})
