import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { checkAgainstDatabase, type SigningRequest } from '../../../src/storage/index.ts'
import type { Hash, PublicKey } from '../../../src/types/index.ts'
import {
  aPoolCommitment,
  aProposal,
  aVote,
  blockX,
  blockY,
  MemoryRecordFile,
  openRecord,
} from './signing-fixture.ts'

describe('SigningRecord: crashes and damage', () => {
  const steps = [
    [aPoolCommitment(1)],
    [aVote('notarize', 1, 0), aVote('nullify', 1, 0)],
    [aVote('notarize', 2, 0, blockY)],
  ]

  it('loses no durable line and takes no torn one, wherever the file ends', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    const sizes: number[] = []
    for (const step of steps) {
      await record.signAll(step)
      sizes.push(file.content?.length ?? 0)
    }
    const whole = file.content ?? new Uint8Array()
    const lineEnds = [...whole.keys()].filter((at) => whole[at] === 0x0a).map((at) => at + 1)

    // From where the first replacement ended: it is atomic, so no crash leaves less.
    for (let size = sizes[0] ?? 0; size <= whole.length; size += 1) {
      const cut = new MemoryRecordFile(whole.slice(0, size))
      const opened = await openRecord(cut)
      const lines = lineEnds.filter((end) => end <= size).length
      assert.equal(opened.number, lines - 1, `cut to ${size} bytes`)
      assert.deepEqual(
        cut.content,
        whole.slice(0, lineEnds[lines - 1]),
        'the torn rest is gone from the file',
      )

      const { number } = await opened.signAll([aVote('notarize', 3, 0)])
      assert.equal(number, lines)
      assert.equal((await openRecord(cut)).number, lines, 'what follows a torn line is readable')
    }
  })

  it('refuses a file that is shorter than its last replacement', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    for (const step of steps) await record.signAll(step)
    await record.setSignFrom(1)
    const replaced = file.content ?? new Uint8Array()
    assert.equal(record.entries().length, 2)

    for (let size = 0; size < replaced.length; size += 1) {
      const cut = openRecord(new MemoryRecordFile(replaced.slice(0, size)))
      await assert.rejects(cut, { name: 'StorageError', code: 'record-corrupted' }, `cut to ${size} bytes`)
    }
  })

  it('refuses a file in which any bit of a whole line is turned', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    for (const step of steps) await record.signAll(step)
    const whole = file.content ?? new Uint8Array()

    for (let at = 0; at < whole.length - 1; at += 1) {
      const damaged = whole.slice()
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 7))
      await assert.rejects(openRecord(new MemoryRecordFile(damaged)), { name: 'StorageError' }, `byte ${at}`)
    }
  })

  it('refuses a file from whose middle a line is missing, or in which one stands twice', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    for (const step of steps) await record.signAll(step)
    const lines = Buffer.from(file.content ?? [])
      .toString()
      .split('\n')
      .slice(0, -1)
    const corrupted = { name: 'StorageError', code: 'record-corrupted' }
    const open = (kept: string[]) => openRecord(new MemoryRecordFile(Buffer.from(`${kept.join('\n')}\n`)))

    await open(lines)
    await assert.rejects(open(lines.toSpliced(2, 1)), corrupted)
    await assert.rejects(open(lines.toSpliced(3, 0, lines[2] ?? '')), corrupted)
    await assert.rejects(open(lines.slice(1)), corrupted)
    await assert.rejects(openRecord(new MemoryRecordFile(new Uint8Array())), corrupted)
  })

  it('refuses the record of another key, of another network, and of a later version', async () => {
    const file = new MemoryRecordFile()
    await (await openRecord(file)).signAll([aPoolCommitment(1)])

    const another = { name: 'StorageError', code: 'record-of-another' }
    await assert.rejects(openRecord(file, { votingKey: '33'.repeat(32) as string as PublicKey }), another)
    await assert.rejects(openRecord(file, { genesisHash: '33'.repeat(32) as Hash }), another)
  })

  it('tells an old copy by its number', async () => {
    const file = new MemoryRecordFile()
    const record = await openRecord(file)
    await record.signAll([aVote('notarize', 1, 0)])
    const copy = new MemoryRecordFile(file.content?.slice())
    const { number } = await record.signAll([aVote('finalize', 1, 0)])

    const old = await openRecord(copy)
    const check = (recordNumber: number | undefined, databaseNumber: number) =>
      checkAgainstDatabase({ recordNumber, databaseNumber })
    assert.equal(check(old.number, number)?.code, 'record-older')
    assert.match(check(old.number, number)?.reason ?? '', /ends at signature 1.*knows of 2/)
    assert.equal(check(undefined, number)?.code, 'record-missing')
    assert.equal(check(record.number, number), undefined)
    assert.equal(check(record.number, number - 1), undefined)
    assert.equal(check(undefined, 0), undefined)
  })

  it('never gives two signatures that contradict each other, whatever is asked and wherever it crashes', async () => {
    const blocks = fc.constantFrom(blockX, blockY)
    // Low heights often: a high one ends what can be asked below it.
    const height = fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 2, 2, 3)
    const view = fc.nat({ max: 1 })
    const request = fc.oneof(
      fc
        .tuple(fc.constantFrom('notarize', 'nullify', 'finalize'), height, view, blocks)
        .map((vote) => aVote(...vote)),
      fc.tuple(height, view, blocks).map((proposal) => aProposal(...proposal)),
      fc.tuple(height, fc.constantFrom(5, 6)).map((commitment) => aPoolCommitment(...commitment)),
    )
    // A crash happens in an append: some of its bytes are there, and its signatures were not sent.
    const step = fc.record({
      requests: fc.array(request, { minLength: 1, maxLength: 2 }),
      crashAt: fc.option(fc.nat({ max: 400 }), { freq: 3, nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (stepsTaken) => {
        const options = { compactAboveBytes: 1500 }
        const file = new MemoryRecordFile()
        let record = await openRecord(file, options)
        const sent: SigningRequest[] = []
        for (const { requests, crashAt } of stepsTaken) {
          const before = file.content ?? new Uint8Array()
          const { replaces } = file
          const isSigned = await record.signAll(requests).then(
            () => true,
            () => false,
          )
          if (crashAt === undefined) {
            if (isSigned) sent.push(...requests)
            continue
          }
          const isReplaced = file.replaces > replaces
          if (isReplaced) file.content = crashAt % 2 === 0 && before.length > 0 ? before : file.content
          else file.content = file.content?.slice(0, before.length + crashAt)
          record = await openRecord(file, options)
        }
        assert.equal(firstConflict(sent), undefined)
      }),
      { numRuns: 200 },
    )
  })
})

/** By the statement of the invariant (protocol §6.2), not by the rules of the record. */
function firstConflict(sent: readonly SigningRequest[]): string | undefined {
  const signed = new Map<string, string>()
  for (const { kind, bytes } of sent) {
    const hex = Buffer.from(bytes).toString('hex')
    const height = hex.slice(2, 18)
    const view = kind === 'pool-commitment' ? '' : hex.slice(18, 26)
    const slot = `${kind} ${height} ${view}`
    if ((signed.get(slot) ?? hex) !== hex) return `two of ${slot}`
    signed.set(slot, hex)
    const [finalize, nullify] = [`finalize ${height} ${view}`, `nullify ${height} ${view}`]
    if (signed.has(finalize) && signed.has(nullify)) return `finalize and nullify of ${height} ${view}`
  }
  return undefined
}
