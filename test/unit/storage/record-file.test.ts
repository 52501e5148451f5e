import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { NodeRecordFile } from '../../../src/storage/index.ts'
import { aPoolCommitment, aVote, openRecord } from './signing-fixture.ts'

const parent = await mkdtemp(join(tmpdir(), 'diseq-record-'))
after(() => rm(parent, { recursive: true, force: true }))
let count = 0
const aPath = () => {
  count += 1
  return join(parent, String(count), 'signing', 'signing-record')
}
const bytes = (text: string) => new TextEncoder().encode(text)

describe('NodeRecordFile', () => {
  it('has nothing before it is written, and makes its folder then', async () => {
    const file = new NodeRecordFile(aPath())
    assert.equal(await file.read(), undefined)

    await file.replace(bytes('one'))
    assert.deepEqual(await file.read(), bytes('one'))
    await file.close()
  })

  it('appends to what is there, across replacements and reopening', async () => {
    const path = aPath()
    const file = new NodeRecordFile(path)
    await file.replace(bytes('a'))
    await file.append(bytes('b'))
    await file.append(bytes('c'))
    await file.replace(bytes('x'))
    await file.append(bytes('y'))
    await file.close()

    const again = new NodeRecordFile(path)
    await again.append(bytes('z'))
    assert.deepEqual(await again.read(), bytes('xyz'))
    await again.close()
    assert.deepEqual(await readdir(join(path, '..')), ['signing-record'])
  })

  it('is for its owner only', { skip: process.platform === 'win32' }, async () => {
    const path = aPath()
    const file = new NodeRecordFile(path)
    await file.replace(bytes('a'))

    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('is not hindered by what a crash left of a replacement', async () => {
    const path = aPath()
    const file = new NodeRecordFile(path)
    await file.replace(bytes('a'))
    await writeFile(join(path, '..', '.signing-record.new'), 'something longer that was never finished')
    assert.deepEqual(await file.read(), bytes('a'))

    await file.replace(bytes('b'))
    assert.deepEqual(await file.read(), bytes('b'))
  })

  it('fails with "write-failed" where it cannot write, "read-failed" where it cannot read', async () => {
    const path = aPath()
    const file = new NodeRecordFile(path)
    await assert.rejects(file.append(bytes('a')), { name: 'StorageError', code: 'write-failed' })

    await file.replace(bytes('a'))
    const below = new NodeRecordFile(join(path, 'below'))
    await assert.rejects(below.replace(bytes('a')), { name: 'StorageError', code: 'write-failed' })
    await assert.rejects(new NodeRecordFile(join(path, '..')).read(), { code: 'read-failed' })
  })

  it('carries a signing record over a restart', async () => {
    const path = aPath()
    const file = new NodeRecordFile(path)
    const record = await openRecord(file)
    await record.signAll([aPoolCommitment(1)])
    await record.signAll([aVote('notarize', 1, 0)])
    await file.close()

    const again = new NodeRecordFile(path)
    const reopened = await openRecord(again)
    assert.deepEqual(reopened.entries(), record.entries())
    await again.close()
  })
})
