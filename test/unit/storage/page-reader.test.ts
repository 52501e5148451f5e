// Who only reads the files of pages, while another adds to them and removes them.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PageFiles } from '../../../src/storage/index.ts'
import { PageFileReader } from '../../../src/storage/page-reader.ts'
import { pieceOf, readAll, somePages } from '../../contract/page-log.ts'

const parent = await mkdtemp(join(tmpdir(), 'diseq-reader-'))
const opened: PageFiles[] = []
after(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await rm(parent, { recursive: true, force: true })
})

async function aLog() {
  const directory = join(parent, `${opened.length}`)
  const log = await PageFiles.open(directory, { fileBytesMax: 20_000 })
  opened.push(log)
  return { directory, log, reader: new PageFileReader(directory) }
}

test('it finds what was added, in files that come while it reads, one by one and one behind the other', async () => {
  const { log, reader, directory } = await aLog()
  const pages = somePages(300)
  assert.equal(reader.get(1), undefined)
  assert.deepEqual(reader.from(1), [])
  for (const [at, page] of pages.entries()) {
    await log.append(pieceOf([page]))
    assert.deepEqual(reader.get(page.id), page.bytes)
    if (at % 50 === 0) assert.deepEqual(readAll(reader, 1), pages.slice(0, at + 1))
  }
  assert.deepEqual(readAll(reader, 1), pages)
  assert.ok((await readdir(directory)).length > 5)
})

test('it goes on behind files that are removed, whether it had them open or not', async () => {
  const { log, reader, directory } = await aLog()
  const pages = somePages(300)
  await log.append(pieceOf(pages.slice(0, 150)))
  await log.append(pieceOf(pages.slice(150, 200)))
  assert.deepEqual(readAll(reader, 1), pages.slice(0, 200))
  const first = pages[199] ?? assert.fail()
  await log.release(first.id)
  reader.release(first.id)
  await log.append(pieceOf(pages.slice(200)))
  for (const later of [reader, new PageFileReader(directory)])
    assert.deepEqual(readAll(later, first.id), pages.slice(199))
  assert.equal(new PageFileReader(directory).get(1), undefined)
})

test('a page that is damaged or cut short is told of by name, and by who goes through the log when it comes to it', async () => {
  const { log, reader, directory } = await aLog()
  const [one, two] = somePages(2)
  assert.ok(one !== undefined && two !== undefined)
  await log.append(pieceOf([one, two]))
  const path = join(directory, (await readdir(directory))[0] ?? '')
  await writeFile(path, Buffer.from([1]), { flag: 'r+', flush: true })
  assert.throws(() => reader.get(one.id), { code: 'corrupted', message: /trie page 1:/ })
  assert.throws(() => reader.from(one.id), { code: 'corrupted' })
  assert.deepEqual(reader.get(two.id), two.bytes)
})
