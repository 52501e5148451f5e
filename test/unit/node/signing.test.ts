import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Signing, type Unsigned } from '../../../src/node/signing.ts'
import { NodeRecordFile, SigningRecord } from '../../../src/storage/index.ts'
import type { BlockId, Hash, PublicKey } from '../../../src/types/index.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }

const commitment = (height: number, time = 1): Unsigned => ({
  kind: 'pool-commitment',
  commitment: { height, time, entries: [] },
})
const notarize = (height: number, block = 'ab'): Unsigned => ({
  kind: 'vote',
  body: { kind: 'notarize', height, view: 0, blockId: block.repeat(32) as BlockId },
})

test('heights below those of its record are passed over without an alarm; a second signature is one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'diseq-signing-'))
  t.after(() => rm(folder, { recursive: true }))
  const record = await SigningRecord.open({
    file: new NodeRecordFile(join(folder, 'signing-record')),
    genesisHash: '01'.repeat(32) as Hash,
    votingKey: '02'.repeat(32) as PublicKey,
    sign: () => new Uint8Array(64),
  })
  const signing = new Signing({ record, validator: 0, log })
  assert.equal((await signing.signAll([commitment(5), notarize(5)])).length, 2)

  // As while a node whose database was made anew fetches the chain.
  assert.deepEqual(await signing.signAll([commitment(3)]), [])
  assert.deepEqual(await signing.signAll([notarize(4)]), [])
  assert.equal(signing.refusedCount, 0)

  assert.deepEqual(await signing.signAll([commitment(5, 2)]), [])
  assert.deepEqual(await signing.signAll([notarize(5, 'cd')]), [])
  assert.equal(signing.refusedCount, 2)
})
