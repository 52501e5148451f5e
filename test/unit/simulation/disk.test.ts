// What a simulated disk keeps and forgets at a crash.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../../../src/simulation/disk.ts'
import { Random } from '../../../src/simulation/random.ts'
import { SimulatedRecordFile } from '../../../src/simulation/record-disk.ts'
import { Scheduler } from '../../../src/simulation/scheduler.ts'
import { nextPageId } from '../../../src/trie/index.ts'
import { pieceOf, somePages } from '../../contract/page-log.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const put = (key: string) => ({ type: 'put', key: bytes(key), value: bytes(key) }) as const

function world(seed: number) {
  const scheduler = new Scheduler()
  const options = {
    scheduler,
    random: new Random(seed),
    pageRandom: new Random(seed),
    lagMs: () => 0,
    onWrite: () => false,
  }
  return { scheduler, options, pass: (ms: number) => scheduler.runUntil(scheduler.nowMs + ms, () => false) }
}

test('keeps what was synced when the power fails, and loses only the end of what was not', async () => {
  const kept = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const { options, pass } = world(seed)
    const disk = new SimulatedDisk(options)
    const store = disk.open()
    void store.write([put('a')], { sync: true })
    void store.write([put('b')], { sync: false })
    void store.write([put('c')], { sync: false })
    await pass(100)
    disk.crash({ losesPower: true })
    const after = disk.open()
    assert.ok(after.get(bytes('a')))
    const [b, c] = [after.get(bytes('b')) !== undefined, after.get(bytes('c')) !== undefined]
    assert.ok(b || !c, 'the later write was kept and the earlier one lost')
    kept.add(`${b}${c}`)
  }
  assert.equal(kept.size, 3)
})

test('applies a batch whole or not at all when the process dies in the middle', async () => {
  const seen = new Set<boolean>()
  for (let seed = 0; seed < 20; seed++) {
    const { options } = world(seed)
    const disk = new SimulatedDisk(options)
    void disk.open().write([put('a'), put('b')], { sync: true })
    disk.crash({ losesPower: true })
    const after = disk.open()
    const hasBoth = after.get(bytes('a')) !== undefined
    assert.equal(after.get(bytes('b')) !== undefined, hasBoth)
    seen.add(hasBoth)
  }
  assert.equal(seen.size, 2)
})

test('leaves any part of an append to the record that a crash cut short', async () => {
  const lengths = new Set<number>()
  for (let seed = 0; seed < 60; seed++) {
    const { options, pass } = world(seed)
    const record = new SimulatedRecordFile(options)
    const file = record.open()
    void file.replace(bytes('head'))
    await pass(100)
    void file.append(bytes('line'))
    record.crash()
    const content = Buffer.from(record.content ?? []).toString()
    assert.ok('headline'.startsWith(content) && content.startsWith('head'))
    lengths.add(content.length)
  }
  assert.equal(lengths.size, 5)
})

test('loses any part of the pages that were not synced with the power, and none that was', async () => {
  const pages = somePages(8)
  const kept = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const disk = new SimulatedDisk(world(seed).options)
    const log = disk.open().pages
    await log.append(pieceOf(pages.slice(0, 4)))
    await log.sync()
    await log.append(pieceOf(pages.slice(4)))
    disk.crash({ losesPower: true })
    const after = disk.open().pages
    const left = pages.map(({ id }) => after.get(id) !== undefined)
    assert.deepEqual(left.slice(0, 4), [true, true, true, true])
    kept.add(left.slice(4).join())
    assert.equal(await after.cut({ first: 1, next: pages[4]?.id ?? 0 }), true)
    await after.append(pieceOf(pages.slice(4)))
    disk.crash({ losesPower: false })
    assert.deepEqual(disk.open().pages.get(pages[7]?.id ?? 0), pages[7]?.bytes)
  }
  assert.ok(kept.size > 10)
})

test('says so where a checkpoint names pages that were not durable', async () => {
  const [page] = somePages(1)
  assert.ok(page !== undefined)
  const log = new SimulatedDisk(world(1).options).open().pages
  await log.append(pieceOf([page]))
  await assert.rejects(log.cut({ first: 1, next: nextPageId(page) + 1 }), /was not durable/)
})

test('a full disk fails the write', async () => {
  const { options, pass } = world(1)
  const disk = new SimulatedDisk(options)
  disk.isFull = true
  const write = assert.rejects(disk.open().write([put('a')], { sync: true }), { code: 'write-failed' })
  await pass(100)
  await write
  await assert.rejects(disk.open().pages.append(pieceOf(somePages(1))), { code: 'write-failed' })
})
