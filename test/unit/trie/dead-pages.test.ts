import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DeadPages } from '../../../src/trie/dead-pages.ts'

/** Two entries, and what the log adds. */
const shortest = 226

test('dead pages are those that were noted, however close to others, until what is before a page is forgotten', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000_000 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(
      gaps,
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      fc.nat(),
      (each, isDead, at) => {
        let id = 1
        const ids = each.map((gap) => (id += shortest + (gap % 7 === 0 ? gap : gap % 2_000)))
        const dead = new DeadPages()
        for (const [place, one] of ids.entries()) if (isDead[place]) dead.add(one)
        const noted = () => ids.map((one) => dead.has(one))
        const due = ids.map((_, place) => isDead[place] === true)
        assert.deepEqual(noted(), due)
        const from = at % ids.length
        dead.forgetBefore(ids[from] ?? 0)
        assert.deepEqual(noted().slice(from), due.slice(from))
      },
    ),
  )
})

test('dead pages take a bit for 128 bytes of the log, and nothing for what was forgotten', () => {
  const dead = new DeadPages()
  for (let id = 1; id < 100_000_000; id += 1_000_000) {
    dead.add(id)
    assert.ok(dead.has(id))
  }
  dead.forgetBefore(90_000_000)
  assert.ok(!dead.has(1) && dead.has(99_000_001))
})
