import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { LevelStore } from '../../../src/storage/index.ts'

const parent = await mkdtemp(join(tmpdir(), 'diseq-level-'))
after(() => rm(parent, { recursive: true, force: true }))

let directory = ''
let count = 0
beforeEach(() => {
  count += 1
  directory = join(parent, String(count), 'database')
})

const key = Uint8Array.of(1)
const value = Uint8Array.of(2, 3)
const put = { type: 'put', key, value } as const

async function writeSomething(): Promise<void> {
  const store = await LevelStore.open(directory)
  await store.write([put], { sync: true })
  await store.close()
}

/** Half a megabyte, over the same keys each time. */
function manyPuts(): (typeof put)[] {
  return Array.from({ length: 1_000 }, (_, at) => {
    const wide = new Uint8Array(500).fill(at)
    return { ...put, key: Uint8Array.of(at >> 8, at & 0xff), value: wide }
  })
}

describe('LevelStore', () => {
  it('keeps what was written over a close', async () => {
    await writeSomething()

    const store = await LevelStore.open(directory)
    assert.deepEqual(store.get(key), value)
    await store.close()
  })

  it('refuses a home that is open already, and takes it once that is closed', async () => {
    const first = await LevelStore.open(directory)

    await assert.rejects(LevelStore.open(directory), { name: 'StorageError', code: 'home-locked' })

    await first.close()
    await (await LevelStore.open(directory)).close()
  })

  it('refuses a home whose file CURRENT is garbage', async () => {
    await writeSomething()
    await writeFile(join(directory, 'CURRENT'), 'garbage')

    await assert.rejects(LevelStore.open(directory), { name: 'StorageError', code: 'corrupted' })
  })

  it('refuses a home without its file CURRENT instead of starting an empty one there', async () => {
    await writeSomething()
    const current = join(directory, 'CURRENT')
    const content = await readFile(current)
    await rm(current)

    await assert.rejects(LevelStore.open(directory), { name: 'StorageError', code: 'corrupted' })

    await writeFile(current, content)
    const store = await LevelStore.open(directory)
    assert.deepEqual(store.get(key), value)
    await store.close()
  })

  it('refuses a home whose manifest is gone or damaged', async () => {
    await writeSomething()
    const manifest = (await readFile(join(directory, 'CURRENT'), 'utf8')).trim()
    const content = await readFile(join(directory, manifest))
    await writeFile(join(directory, manifest), content.subarray(0, 5))
    await assert.rejects(LevelStore.open(directory), { name: 'StorageError', code: 'corrupted' })

    await rm(join(directory, manifest))
    await assert.rejects(LevelStore.open(directory), { name: 'StorageError', code: 'corrupted' })
  })

  it('says of a write that a damaged table stopped that the database is damaged, not that the disk is full', async () => {
    const first = await LevelStore.open(directory)
    await first.write(manyPuts(), { sync: false })
    await first.close()
    // Opening turns the log into a table.
    await (await LevelStore.open(directory)).close()
    const [table] = (await readdir(directory)).filter((name) => name.endsWith('.ldb'))
    assert.ok(table !== undefined)
    const content = await readFile(join(directory, table))
    for (let at = 0; at < content.length - 200; at += 500) content[at] = (content[at] ?? 0) ^ 0xff
    await writeFile(join(directory, table), content)

    const store = await LevelStore.open(directory)
    // LevelDB merges in a thread of its own: when it comes to that, other processes decide.
    const writeUntilMerged = async () => {
      for (let round = 0; round < 1_000; round++) await store.write(manyPuts(), { sync: false })
    }
    await assert.rejects(writeUntilMerged(), {
      name: 'StorageError',
      code: 'corrupted',
      message: /Corruption: [^?]*$/,
    })
    await store.close()
  })

  it('opens a home that a crash left before anything was in it', async () => {
    await (await LevelStore.open(directory)).close()
    for (const name of await readdir(directory)) {
      if (name === 'CURRENT' || name.endsWith('.log')) await rm(join(directory, name))
    }

    await (await LevelStore.open(directory)).close()
  })

  it('loses whole writes only, the last ones first, wherever its log was cut', async () => {
    const store = await LevelStore.open(directory)
    const twoPuts = (number: number) => [
      { type: 'put', key: Uint8Array.of(1, number), value: new Uint8Array(100).fill(number) } as const,
      { type: 'put', key: Uint8Array.of(2, number), value: Uint8Array.of(number) } as const,
    ]
    for (const number of [0, 1, 2]) await store.write(twoPuts(number), { sync: true })
    await store.close()
    const name = (await readdir(directory)).find((file) => file.endsWith('.log')) ?? ''
    const log = await readFile(join(directory, name))

    let fewest = 3
    for (let size = log.length; size > 0; size -= 13) {
      const cut = join(parent, `${count}-${size}`)
      await cp(directory, cut, { recursive: true })
      await truncate(join(cut, name), size)
      const reopened = await LevelStore.open(cut)
      const found = [0, 1, 2].map((number) =>
        twoPuts(number).map((put) => reopened.get(put.key) !== undefined),
      )
      await reopened.close()
      for (const [first, second] of found) assert.equal(first, second, `half a write at ${size} bytes`)
      const whole = found.filter(([first]) => first).length
      assert.deepEqual(
        found.map(([first]) => first),
        [0, 1, 2].map((number) => number < whole),
      )
      assert.ok(whole <= fewest)
      fewest = whole
    }
    assert.equal(fewest, 0)
  })

  it('says so where the folder cannot be made', async () => {
    await writeFile(join(parent, 'file'), '')

    await assert.rejects(LevelStore.open(join(parent, 'file', 'database')), {
      name: 'StorageError',
      code: 'open-failed',
    })
  })

  it('fails a write that the disk does not take', async () => {
    const store = await LevelStore.open(directory)
    // Without its folder the log in hand can still grow, but not be followed by another.
    await rm(directory, { recursive: true })
    const large = new Uint8Array(1 << 20)
    const fill = async () => {
      for (let number = 0; number < 40; number += 1) {
        await store.write([{ type: 'put', key: Uint8Array.of(number), value: large }], { sync: true })
      }
    }

    await assert.rejects(fill(), { name: 'StorageError', code: 'write-failed' })
    await store.close()
  })
})
