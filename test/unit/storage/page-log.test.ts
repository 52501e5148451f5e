// The log of the trie's pages: in memory, and in files that a crash, a full disk or a stray byte has gone over.
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { MemoryPageLog, PageFiles } from '../../../src/storage/index.ts'
import { nextPageId, type StoredPage } from '../../../src/trie/index.ts'
import { pageLogContract, pieceOf, readAll, somePages } from '../../contract/page-log.ts'

const parent = await mkdtemp(join(tmpdir(), 'diseq-pages-'))
after(() => rm(parent, { recursive: true, force: true }))
const fileBytesMax = 20_000
let count = 0

function aDirectory(): string {
  count += 1
  return join(parent, String(count))
}

/** In pieces of some twenty pages. */
async function addTo(log: PageFiles, pages: readonly StoredPage[]): Promise<void> {
  for (let at = 0; at < pages.length; at += 20) await log.append(pieceOf(pages.slice(at, at + 20)))
}

pageLogContract({ name: 'MemoryPageLog', open: async () => new MemoryPageLog() })
const opened: PageFiles[] = []
after(() => Promise.all(opened.map((log) => log.close())))
pageLogContract({
  name: 'PageFiles',
  open: async () => {
    const log = await PageFiles.open(aDirectory(), { fileBytesMax })
    opened.push(log)
    return log
  },
})

describe('PageFiles', () => {
  it('has after a restart what was added, in several files, and goes on', async () => {
    const directory = aDirectory()
    const pages = somePages(500)
    let log = await PageFiles.open(directory, { fileBytesMax })
    await addTo(log, pages.slice(0, 300))
    await log.sync()
    await log.close()
    log = await PageFiles.open(directory, { fileBytesMax })
    assert.equal(await log.cut({ first: 1, next: pages[300]?.id ?? assert.fail() }), true)
    await addTo(log, pages.slice(300))
    assert.deepEqual(readAll(log, 1), pages)
    await log.close()
    assert.ok((await readdir(directory)).length > 5)
  })

  it('removes the files that are before the first page that is needed', async () => {
    const directory = aDirectory()
    const pages = somePages(500)
    const log = await PageFiles.open(directory, { fileBytesMax })
    await addTo(log, pages)
    const before = (await readdir(directory)).length
    const first = pages[400]?.id ?? assert.fail()
    await log.release(first)
    const names = await readdir(directory)
    assert.ok(names.length < before / 3)
    assert.ok(names.every((name) => Number(name.slice(0, 16)) > first - 2.5 * fileBytesMax))
    assert.deepEqual(readAll(log, first), pages.slice(400))
    await log.close()
  })

  it('cuts off what a crash left torn behind the last page of a checkpoint', async () => {
    const directory = aDirectory()
    const pages = somePages(60)
    let log = await PageFiles.open(directory, { fileBytesMax: 1e6 })
    await addTo(log, pages)
    await log.close()
    const [name = ''] = await readdir(directory)
    const whole = await readFile(join(directory, name))
    const next = pages[40]?.id ?? assert.fail()
    for (const end of [next - 1, next - 1 + 3, whole.length - 100]) {
      await writeFile(join(directory, name), whole.subarray(0, end))
      await appendFile(join(directory, name), new Uint8Array(50).fill(0xff))
      log = await PageFiles.open(directory, { fileBytesMax: 1e6 })
      assert.equal(await log.cut({ first: 1, next }), true)
      assert.deepEqual(readAll(log, 1), pages.slice(0, 40))
      await addTo(log, pages.slice(40))
      assert.deepEqual(readAll(log, 1), pages)
      await log.close()
    }
  })

  it('says so where a file is missing, or cut short within the range', async () => {
    const pages = somePages(300)
    const range = { first: 1, next: nextPageId(pages.at(-1) ?? assert.fail()) }
    for (const damage of [
      async (names: string[], at: string) => rm(join(at, names[0] ?? '')),
      async (names: string[], at: string) => rm(join(at, names[3] ?? '')),
      async (names: string[], at: string) => rm(join(at, names.at(-1) ?? '')),
      async (names: string[], at: string) => truncate(join(at, names[2] ?? ''), 10_000),
      async (names: string[], at: string) => truncate(join(at, names.at(-1) ?? ''), 10),
    ]) {
      const directory = aDirectory()
      let log = await PageFiles.open(directory, { fileBytesMax })
      await addTo(log, pages)
      await log.close()
      await damage((await readdir(directory)).sort(), directory)
      log = await PageFiles.open(directory, { fileBytesMax })
      assert.equal(await log.cut(range), false)
      assert.deepEqual(await readdir(directory), [])
      await addTo(log, pages)
      assert.deepEqual(readAll(log, 1), pages)
      await log.close()
    }
  })

  it('gives out no page of which any byte was changed', async () => {
    const directory = aDirectory()
    const [page] = somePages(1)
    assert.ok(page !== undefined)
    const log = await PageFiles.open(directory, { fileBytesMax })
    await log.append(pieceOf([page]))
    const [name = ''] = await readdir(directory)
    const file = await open(join(directory, name), 'r+')
    const whole = await readFile(join(directory, name))
    for (let at = 0; at < whole.length; at += 1) {
      await file.write(whole.with(at, (whole[at] ?? 0) ^ 1), 0, whole.length, 0)
      assert.throws(() => log.get(1), { name: 'StorageError', code: 'corrupted' }, `byte ${at}`)
      assert.throws(() => log.from(1), { name: 'StorageError', code: 'corrupted' }, `byte ${at}`)
    }
    await file.write(whole, 0, whole.length, 0)
    assert.deepEqual(log.get(1), page.bytes)
    await file.close()
    await log.close()
  })

  it('goes through the pages before a damaged one', async () => {
    const directory = aDirectory()
    const pages = somePages(10)
    const log = await PageFiles.open(directory, { fileBytesMax })
    await log.append(pieceOf(pages))
    const [name = ''] = await readdir(directory)
    const file = await open(join(directory, name), 'r+')
    const damaged = pages[4] ?? assert.fail()
    await file.write(Uint8Array.of(0xff), 0, 1, damaged.id - 1 + 20)
    await file.close()
    assert.deepEqual(
      log.from(1).map(({ id }) => id),
      pages.slice(0, 4).map(({ id }) => id),
    )
    assert.throws(() => log.from(damaged.id), { code: 'corrupted' })
    await log.close()
  })

  it('has durable after a sync what was added before, also while it synced in the background', async () => {
    const probe = await open(join(parent, 'probe'), 'w')
    const handles = Object.getPrototypeOf(probe) as typeof probe
    await probe.close()
    const { datasync, write } = handles
    /** By descriptor: bytes that a sync began after, and bytes there are. */
    const [synced, written] = [new Map<number, number>(), new Map<number, number>()]
    const slowSync = mock.method(handles, 'datasync', async function (this: typeof probe) {
      const size = written.get(this.fd) ?? 0
      await pause(3)
      await datasync.call(this)
      synced.set(this.fd, Math.max(size, synced.get(this.fd) ?? 0))
    })
    const slowWrite = mock.method(handles, 'write', async function (this: typeof probe, ...args: unknown[]) {
      await pause(1)
      const result = await (write as (...all: unknown[]) => ReturnType<typeof write>).apply(this, args)
      written.set(this.fd, Number(args[3]) + result.bytesWritten)
      return result
    })
    try {
      const log = await PageFiles.open(aDirectory(), { fileBytesMax, unsyncedBytesMax: 3_000 })
      const pages = somePages(600)
      for (let at = 0; at < pages.length; at += 3) {
        await log.append(pieceOf(pages.slice(at, at + 3)))
        if (at % 7 !== 0) continue
        await log.sync()
        for (const [fd, size] of written) assert.ok((synced.get(fd) ?? 0) >= size, `at page ${at}`)
      }
      await log.close()
      assert.ok(slowSync.mock.callCount() > 30, `${slowSync.mock.callCount()} syncs`)
    } finally {
      slowSync.mock.restore()
      slowWrite.mock.restore()
    }
  })

  it('does without files before the first page that came back after they were removed', async () => {
    const directory = aDirectory()
    const pages = somePages(500)
    let log = await PageFiles.open(directory, { fileBytesMax })
    await addTo(log, pages)
    const names = (await readdir(directory)).sort()
    const whole = await readFile(join(directory, names[0] ?? ''))
    const first = pages[300]?.id ?? assert.fail()
    const next = nextPageId(pages.at(-1) ?? assert.fail())
    await log.release(first)
    await log.close()
    await writeFile(join(directory, names[0] ?? ''), whole)
    log = await PageFiles.open(directory, { fileBytesMax })
    assert.equal(await log.cut({ first, next }), true)
    assert.deepEqual(readAll(log, first), pages.slice(300))
    await log.close()
    assert.ok(!(await readdir(directory)).includes(names[0] ?? ''))
  })

  it('refuses everything once it is closed, which waits for what is under way', async () => {
    const directory = aDirectory()
    const log = await PageFiles.open(directory, { fileBytesMax })
    const adding = log.append(pieceOf(somePages(3)))
    await Promise.all([log.close(), log.close()])
    await adding
    const isClosed = { name: 'StorageError', code: 'closed' }
    assert.throws(() => log.get(1), isClosed)
    assert.throws(() => log.from(1), isClosed)
    await assert.rejects(log.append(pieceOf(somePages(1))), isClosed)
    await assert.rejects(log.sync(), isClosed)
    await assert.rejects(log.release(1), isClosed)
    await assert.rejects(log.cut({ first: 1, next: 1 }), isClosed)
    assert.equal((await readdir(directory)).length, 1)
  })

  it('fails with a code where a file cannot be opened, written or synced', async () => {
    const blocked = aDirectory()
    await writeFile(blocked, 'a file')
    await assert.rejects(PageFiles.open(blocked), { name: 'StorageError', code: 'open-failed' })

    const log = await PageFiles.open(aDirectory(), { fileBytesMax })
    await log.append(pieceOf(somePages(3)))
    await log.close()
    // A folder that went away takes no new file.
    const gone = aDirectory()
    const orphan = await PageFiles.open(gone, { fileBytesMax })
    await rm(gone, { recursive: true })
    await assert.rejects(orphan.append(pieceOf(somePages(3))), { name: 'StorageError', code: 'write-failed' })
    await orphan.close()
  })
})
