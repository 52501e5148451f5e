import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkAgainstDatabase, type SigningRecord } from '../../../src/storage/index.ts'
import {
  aPoolCommitment,
  aProposal,
  aVote,
  blockX,
  blockY,
  MemoryRecordFile,
  openRecord,
  refused,
  signatureOf,
  signatures,
} from './signing-fixture.ts'

/** Runs `act` on a record as it is, and on one opened again from its file. */
async function nowAndAfterRestart(
  file: MemoryRecordFile,
  record: SigningRecord,
  act: (record: SigningRecord) => Promise<void>,
): Promise<void> {
  await act(record)
  await act(await openRecord(file))
}

describe('SigningRecord: what may be signed', () => {
  it('signs what is new, in one durable append with running numbers', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aPoolCommitment(1)])
    const requests = [aVote('notarize', 1, 0), aVote('finalize', 1, 0), aPoolCommitment(2)]
    const signed = await record.signAll(requests)

    assert.deepEqual(signed, {
      signatures: requests.map(({ kind, bytes }) => signatureOf(kind, bytes)),
      number: 4,
    })
    assert.deepEqual([file.replaces, file.appends], [1, 1])
    assert.deepEqual(
      record.entries().map(({ number, subject }) => [number, subject.kind, subject.height]),
      [
        [1, 'pool-commitment', 1],
        [2, 'notarize', 1],
        [3, 'finalize', 1],
        [4, 'pool-commitment', 2],
      ],
    )
  })

  it('signs and records what the bytes were when it was asked, also where they are a Buffer that changes', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    const vote = aVote('notarize', 1, 0)
    const bytes = Buffer.from(vote.bytes)
    const signed = record.signAll([{ ...vote, bytes }])
    await Promise.resolve()
    bytes.fill(0)
    assert.deepEqual((await signed).signatures, [signatureOf(vote.kind, vote.bytes)])
    await nowAndAfterRestart(file, record, async (opened) => {
      assert.deepEqual(
        opened.entries().map((entry) => new Uint8Array(entry.bytes)),
        [new Uint8Array(vote.bytes)],
      )
    })
  })

  it('gives the same signature for the same bytes, without a new entry', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    const requests = [
      aPoolCommitment(1),
      aProposal(1, 0),
      aVote('notarize', 1, 0),
      aVote('finalize', 1, 0),
      aVote('nullify', 1, 1),
    ]
    const first = await record.signAll(requests)
    const size = file.content?.length

    await nowAndAfterRestart(file, record, async (opened) => {
      assert.deepEqual(await opened.signAll([...requests, ...requests]), {
        signatures: [...first.signatures, ...first.signatures],
        number: 5,
      })
    })
    assert.equal(file.content?.length, size)
  })

  it('signs one pool commitment a height, and none below the highest', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aPoolCommitment(4), aPoolCommitment(5)])

    await nowAndAfterRestart(file, record, async (opened) => {
      await assert.rejects(signatures(opened, aPoolCommitment(5, 6)), refused('second-commitment'))
      await assert.rejects(signatures(opened, aPoolCommitment(4, 6)), refused('second-commitment'))
      await assert.rejects(signatures(opened, aPoolCommitment(3)), refused('commitment-height-passed'))
      assert.equal((await signatures(opened, aPoolCommitment(4))).length, 1)
    })
    await record.signAll([aPoolCommitment(7)])
    await assert.rejects(signatures(record, aPoolCommitment(6)), refused('commitment-height-passed'))
    await assert.rejects(signatures(record, aPoolCommitment(4)), refused('commitment-height-passed'))
  })

  for (const kind of ['notarize', 'finalize', 'proposal'] as const) {
    it(`signs one ${kind} a view`, async () => {
      const request = (view: number, blockId = blockX) =>
        kind === 'proposal' ? aProposal(3, view, blockId) : aVote(kind, 3, view, blockId)
      const file = new MemoryRecordFile()
      const record = await openRecord(file)
      await record.signAll([request(1)])

      await nowAndAfterRestart(file, record, async (opened) => {
        await assert.rejects(signatures(opened, request(1, blockY)), {
          ...refused('second-in-view'),
          asked: { kind, height: 3, view: 1, blockId: blockY },
          signed: { kind, height: 3, view: 1, blockId: blockX },
        })
      })
      await record.signAll([request(0, blockY), request(2, blockY)])
    })
  }

  it('signs finalize or nullify of a view, not both', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aVote('finalize', 1, 0), aVote('nullify', 1, 1)])

    await nowAndAfterRestart(file, record, async (opened) => {
      await assert.rejects(signatures(opened, aVote('nullify', 1, 0)), refused('nullify-after-finalize'))
      await assert.rejects(signatures(opened, aVote('finalize', 1, 1)), refused('finalize-after-nullify'))
    })
  })

  it('signs notarize and nullify of a view, in either order', async () => {
    const record = await openRecord(new MemoryRecordFile())

    await record.signAll([aVote('notarize', 1, 0), aVote('nullify', 1, 0)])
    await record.signAll([aVote('nullify', 1, 1), aVote('notarize', 1, 1), aProposal(1, 1)])
  })

  it('signs no vote and no proposal below the height voted at', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aVote('notarize', 4, 0)])
    await record.signAll([aVote('notarize', 4, 2), aProposal(5, 0)])

    await nowAndAfterRestart(file, record, async (opened) => {
      for (const request of [aVote('notarize', 4, 0), aVote('nullify', 4, 9), aVote('finalize', 3, 0)]) {
        await assert.rejects(signatures(opened, request), refused('vote-height-passed'))
      }
      await assert.rejects(signatures(opened, aProposal(4, 3)), refused('vote-height-passed'))
      assert.deepEqual(
        opened.entries().map(({ subject }) => subject.height),
        [5],
      )
    })
  })

  it('signs all of a list or none of it', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aVote('notarize', 1, 0)])
    const list = [aVote('nullify', 1, 0), aVote('finalize', 1, 0)]

    await assert.rejects(record.signAll(list), refused('finalize-after-nullify'))
    assert.equal(record.number, 1)
    await nowAndAfterRestart(file, record, async (opened) => assert.equal(opened.entries().length, 1))
    await record.signAll([aVote('finalize', 1, 0)])
  })

  it('refuses bytes that are not of their kind', async () => {
    const record = await openRecord(new MemoryRecordFile())
    const { bytes } = aVote('notarize', 1, 0)

    for (const kind of ['finalize', 'nullify', 'proposal', 'pool-commitment'] as const) {
      await assert.rejects(signatures(record, { kind, bytes }), refused('malformed'))
    }
    await assert.rejects(
      signatures(record, { kind: 'notarize', bytes: bytes.subarray(1) }),
      refused('malformed'),
    )
    await assert.rejects(
      signatures(record, { kind: 'pool-commitment', bytes: new Uint8Array() }),
      refused('malformed'),
    )
  })

  it('checks calls that overlap against one another', async () => {
    const record = await openRecord(new MemoryRecordFile())
    const calls = [blockX, blockY, blockX].map((blockId) =>
      record.signAll([aVote('notarize', 1, 0, blockId)]),
    )
    const outcomes = await Promise.allSettled(calls)

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  it('signs nothing more after a write that failed, until it is opened again', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aVote('notarize', 1, 0)])
    file.fails = true
    await assert.rejects(record.signAll([aVote('notarize', 1, 1)]), /no space/)
    file.fails = false

    await assert.rejects(record.signAll([aVote('notarize', 1, 0)]), refused('record-failed'))
    await (await openRecord(file)).signAll([aVote('notarize', 1, 1, blockY)])
  })

  it('keeps the file short, and forgets nothing that matters by it', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file, { compactAboveBytes: 4000 })
    let largest = 0
    for (let height = 1; height <= 100; height += 1) {
      await record.signAll([aPoolCommitment(height)])
      await record.signAll([aVote('notarize', height, 0), aVote('finalize', height, 0)])
      largest = Math.max(largest, file.content?.length ?? 0)
    }
    assert.ok(file.replaces > 3 && file.appends > 100)
    assert.ok(largest < 10_000, `${largest} bytes`)
    assert.equal(record.number, 300)

    await nowAndAfterRestart(file, record, async (opened) => {
      assert.equal(opened.number, 300)
      assert.equal(opened.entries().length, 4)
      await assert.rejects(signatures(opened, aVote('notarize', 99, 5)), refused('vote-height-passed'))
      await assert.rejects(signatures(opened, aPoolCommitment(98)), refused('commitment-height-passed'))
      await assert.rejects(signatures(opened, aVote('notarize', 100, 0, blockY)), refused('second-in-view'))
      await assert.rejects(signatures(opened, aPoolCommitment(99, 9)), refused('second-commitment'))
    })
  })

  it('takes large pool commitments without being written anew each time', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    for (let height = 1; height <= 12; height += 1) await record.signAll([aPoolCommitment(height, 5, 6000)])

    assert.ok(file.replaces < 6, `${file.replaces} replacements`)
    await nowAndAfterRestart(file, record, async (opened) => {
      assert.equal(opened.entries()[1]?.bytes.length, aPoolCommitment(12, 5, 6000).bytes.length)
    })
  })
})

describe('SigningRecord: moving to another machine', () => {
  async function anExport(): Promise<string> {
    const record = await openRecord(new MemoryRecordFile())
    await record.signAll([aPoolCommitment(8), aVote('notarize', 8, 0), aVote('finalize', 8, 0)])
    return record.exportRecord()
  }

  it('signs nothing after an import until a floor is set, and nothing below it then', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.importRecord(await anExport())

    await nowAndAfterRestart(file, record, async (opened) => {
      assert.equal(opened.imported, true)
      assert.equal(opened.number, 3)
      await assert.rejects(signatures(opened, aPoolCommitment(20)), refused('no-floor'))
      await assert.rejects(signatures(opened, aVote('notarize', 8, 0)), refused('no-floor'))
    })
    await record.setSignFrom(12)
    await nowAndAfterRestart(file, record, async (opened) => {
      assert.equal(opened.imported, false)
      assert.equal(opened.signFrom, 12)
      for (const request of [aPoolCommitment(11), aVote('nullify', 11, 0), aProposal(11, 0)]) {
        await assert.rejects(signatures(opened, request), refused('below-floor'))
      }
    })
    assert.equal((await record.signAll([aPoolCommitment(12), aProposal(12, 0)])).number, 5)
  })

  it('keeps what the export had signed, where the floor is not above it', async () => {
    const record = await openRecord(new MemoryRecordFile())
    await record.importRecord(await anExport())
    await record.setSignFrom(8)

    await assert.rejects(signatures(record, aPoolCommitment(8, 6)), refused('second-commitment'))
    await assert.rejects(signatures(record, aVote('notarize', 8, 0, blockY)), refused('second-in-view'))
    await assert.rejects(signatures(record, aVote('nullify', 8, 0)), refused('nullify-after-finalize'))
    assert.equal((await record.signAll([aVote('notarize', 8, 0)])).number, 3)
  })

  it('merges: the higher marks hold, and the own signatures before the imported', async () => {
    const record = await openRecord(new MemoryRecordFile())
    await record.signAll([aPoolCommitment(9), aVote('notarize', 8, 0, blockY), aVote('nullify', 8, 1)])
    await record.importRecord(await anExport(), 40)
    await record.setSignFrom(1)

    assert.equal(record.number, 40)
    await assert.rejects(signatures(record, aPoolCommitment(7)), refused('commitment-height-passed'))
    await assert.rejects(signatures(record, aVote('notarize', 7, 0)), refused('vote-height-passed'))
    await assert.rejects(signatures(record, aVote('notarize', 8, 0, blockX)), refused('second-in-view'))
    await assert.rejects(signatures(record, aVote('nullify', 8, 0)), refused('nullify-after-finalize'))
    await assert.rejects(signatures(record, aVote('finalize', 8, 1)), refused('finalize-after-nullify'))
    await assert.rejects(signatures(record, aPoolCommitment(8, 6)), refused('second-commitment'))
  })

  it('only ever raises the floor', async () => {
    const record = await openRecord(new MemoryRecordFile())
    await record.setSignFrom(12)
    await record.setSignFrom(5)

    assert.equal(record.signFrom, 12)
    assert.throws(() => record.setSignFrom(0), RangeError)
  })

  it('starts over where the record is lost', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    assert.equal(record.isMissing, true)
    await record.startOver(70)

    await nowAndAfterRestart(file, record, async (opened) => {
      assert.equal(opened.isMissing, false)
      assert.equal(checkAgainstDatabase({ recordNumber: opened.number, databaseNumber: 70 }), undefined)
      await assert.rejects(signatures(opened, aPoolCommitment(90)), refused('no-floor'))
    })
  })

  it('refuses a text that is no export, or of another, and stays as it was', async () => {
    const record = await openRecord(new MemoryRecordFile())
    const text = await anExport()
    const unreadable = { name: 'StorageError', code: 'record-unreadable' }
    const changed = (change: (value: Record<string, unknown>) => void) => {
      const value = JSON.parse(text)
      change(value)
      return JSON.stringify(value)
    }
    for (const bad of [
      '',
      '{}',
      '[]',
      text.slice(1),
      changed((value) => delete value.entries),
      changed((value) => Object.assign(value, { kept: 2 })),
      changed((value) => Object.assign(value, { voteHeight: '8' })),
      changed((value) => Object.assign(value, { entries: [{}, {}, {}] })),
      text.replace('"notarize"', '"nullify"'),
    ]) {
      await assert.rejects(record.importRecord(bad), unreadable, bad)
    }
    const other = changed((value) => Object.assign(value, { genesis: '33'.repeat(32) }))
    await assert.rejects(record.importRecord(other), { code: 'record-of-another' })
    const later = changed((value) => Object.assign(value, { version: 2 }))
    await assert.rejects(record.importRecord(later), { code: 'format-too-new' })

    assert.equal(record.imported, false)
    await record.signAll([aPoolCommitment(1)])
  })
})
