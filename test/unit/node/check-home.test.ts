import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { encodeVoteBody } from '../../../src/codec/index.ts'
import { checkHome } from '../../../src/node/check.ts'
import { homePaths, makeHome } from '../../../src/node/home.ts'
import { writeKeys } from '../../../src/node/keys.ts'
import { LevelStore, NodeRecordFile, SigningRecord } from '../../../src/storage/index.ts'
import { describeKey, kindOf } from '../../../src/storage/key-names.ts'
import type { BlockId } from '../../../src/types/index.ts'
import type { ChainBuilder } from '../../support/chain-builder.ts'
import { aFullStore, entriesOf, placesIn } from './full-store.ts'

describe('checkHome', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'diseq-check-'))
  after(() => rm(parent, { recursive: true, force: true }))
  let count = 0

  /** The home of validator 0, with a chain of 6 blocks and a record of 3 signatures. */
  async function aHome(): Promise<{ home: string; chain: ChainBuilder }> {
    count += 1
    const home = join(parent, String(count))
    const store = await LevelStore.open(homePaths(home).database)
    const chain = await aFullStore(store, 6)
    const [keys] = chain.keys
    assert(keys !== undefined)
    writeKeys(home, keys)
    makeHome({ home, genesis: chain.genesis, config: {} })
    await store.close()
    const record = await openRecord(home, chain)
    await record.signAll([voteAt(5), voteAt(7), voteAt(8)])
    return { home, chain }
  }

  function openRecord(home: string, chain: ChainBuilder): Promise<SigningRecord> {
    const [validator] = chain.genesis.validators
    assert(validator !== undefined)
    return SigningRecord.open({
      file: new NodeRecordFile(homePaths(home).signingRecord),
      genesisHash: chain.genesis.hash,
      votingKey: validator.votingKey,
      sign: (kind, bytes) => chain.signVote(0, kind, bytes),
    })
  }

  const voteAt = (height: number, block = 'ab') => ({
    kind: 'notarize' as const,
    bytes: encodeVoteBody({ kind: 'notarize', height, view: 0, blockId: block.repeat(32) as BlockId }),
  })

  it('finds nothing wrong in a home, and leaves nothing behind in it', async () => {
    const { home } = await aHome()

    assert.deepEqual(await checkHome({ home }), { problems: [], height: 6 })
    assert.equal(existsSync(`${homePaths(home).database}.check`), false)
  })

  it('finds nothing wrong in a home that never ran, and makes no database there', async () => {
    const { home } = await aHome()
    await rm(homePaths(home).database, { recursive: true })
    await rm(homePaths(home).signingRecord)

    assert.deepEqual(await checkHome({ home }), { problems: [], height: 0 })
    assert.equal(existsSync(homePaths(home).database), false)
  })

  it('names a changed value on disk', async () => {
    const { home } = await aHome()
    const store = await LevelStore.open(homePaths(home).database)
    const [entry] = (await entriesOf(store)).filter(([key]) => kindOf(key) === 'messagePlace')
    assert(entry !== undefined)
    const [key, value] = entry
    await store.write([{ type: 'put', key, value: value.with(11, 9) }], { sync: true })
    await store.close()

    const { problems } = await checkHome({ home })
    assert.deepEqual(placesIn(problems), [describeKey(key)])
  })

  it('refuses a home whose node runs, in one line', async () => {
    const { home } = await aHome()
    const running = await LevelStore.open(homePaths(home).database)

    await assert.rejects(checkHome({ home }), {
      name: 'StorageError',
      code: 'home-locked',
      message: /^[^\n]+$/,
    })
    await running.close()
  })

  it('takes a database that LevelDB cannot open for a problem', async () => {
    const { home } = await aHome()
    await writeFile(join(homePaths(home).database, 'CURRENT'), 'garbage')

    const { problems } = await checkHome({ home })
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /damaged/)
  })

  it('names any changed byte of the signing record', async () => {
    const { home } = await aHome()
    const path = homePaths(home).signingRecord
    const content = await readFile(path)
    for (const at of [0, Math.floor(content.length / 2), content.length - 2]) {
      await writeFile(path, content.with(at, (content[at] ?? 0) ^ 1))
      const { problems } = await checkHome({ home })
      assert.match(problems.join('\n'), /^signing record: .*damaged/, `byte ${at}`)
    }
  })

  it('does not touch a record whose last append was cut short', async () => {
    const { home } = await aHome()
    const path = homePaths(home).signingRecord
    await appendFile(path, '{"number":4')
    const before = await readFile(path)

    assert.deepEqual((await checkHome({ home })).problems, [])
    assert.deepEqual(await readFile(path), before)
  })

  it('names a record that is missing, older than the database, or of another key', async () => {
    const { home, chain } = await aHome()
    const path = homePaths(home).signingRecord
    await rm(path)
    assert.match(
      (await checkHome({ home })).problems.join(),
      /^signing record: The signing record is missing/,
    )

    await (await openRecord(home, chain)).signAll([voteAt(5)])
    assert.match(
      (await checkHome({ home })).problems.join(),
      /ends at signature 1, and the database knows of 3/,
    )

    await rm(path)
    const [, other] = chain.genesis.validators
    assert(other !== undefined)
    const strange = await SigningRecord.open({
      file: new NodeRecordFile(path),
      genesisHash: chain.genesis.hash,
      votingKey: other.votingKey,
      sign: (kind, bytes) => chain.signVote(1, kind, bytes),
    })
    await strange.signAll([voteAt(5), voteAt(7), voteAt(8)])
    assert.match((await checkHome({ home })).problems.join(), /belongs to the voting key/)
  })

  it('names signatures of the record that contradict each other, or are not by its key', async () => {
    const { home, chain } = await aHome()
    const path = homePaths(home).signingRecord
    const [head = '', own = ''] = (await readFile(path, 'utf8')).split('\n')
    const { bytes } = voteAt(8, 'cd')
    const signatures = [0, 1].map((validator) => chain.signVote(validator, 'notarize', bytes))
    for (const [validator, signature] of signatures.entries()) {
      // The record itself never writes two such lines, nor reads them where they were appended.
      const other = { ...fieldsOf(own), number: 4, bytes: base64(bytes), signature: base64(signature) }
      const lines = [lineOf({ ...fieldsOf(head), number: 4, kept: 2 }), own, lineOf(other), '']
      await writeFile(path, lines.join('\n'))

      const { problems } = await checkHome({ home })
      const contradiction = 'signing record: signatures 3 and 4 contradict each other'
      const foreign = "signing record: signature 4 is not by this home's voting key"
      assert.deepEqual(problems, validator === 0 ? [contradiction] : [foreign, contradiction])
    }
  })

  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

  function fieldsOf(line: string): object {
    return JSON.parse(line.slice(0, line.lastIndexOf(' ')))
  }

  function lineOf(fields: object): string {
    const text = JSON.stringify(fields)
    return `${text} ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  }
})
