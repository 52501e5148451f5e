import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDatabase } from '../../../src/node/check.ts'
import { type KeyValueStore, MemoryStore, StorageError } from '../../../src/storage/index.ts'
import { describeKey, kindOf } from '../../../src/storage/key-names.ts'
import { kinds, metaKeys } from '../../../src/storage/keys.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'
import { aFullStore, copyOf, entriesOf, pagesOf, partMessages, placesIn } from './full-store.ts'

/** Kinds without which the chain cannot be replayed: damage there ends the comparison. */
const blockKinds = ['block head', 'block batch']

const full = new MemoryStore()
const fullChain = await aFullStore(full)
/** The same keys and beginning; nothing of its trie was pruned yet. */
const short = new MemoryStore()
await aFullStore(short, 9)

async function problemsOf(stored: KeyValueStore, chain = fullChain): Promise<readonly string[]> {
  const rebuild = async () => new MemoryStore()
  const { problems } = await checkDatabase({ genesis: chain.genesis, stored, rebuild, partMessages })
  return problems
}

/** One entry of each kind, each meta value being a kind of its own; of the many ones the middle one. */
async function oneOfEachKind(): Promise<[key: Uint8Array, value: Uint8Array][]> {
  const byKind = new Map<string, [Uint8Array, Uint8Array][]>()
  for (const entry of await entriesOf(full)) {
    const [key] = entry
    const kind = kindOf(key) === 'meta' ? describeKey(key) : String(kindOf(key))
    byKind.set(kind, [...(byKind.get(kind) ?? []), entry])
  }
  return [...byKind.values()].map((entries) => {
    const middle = entries[Math.floor(entries.length / 2)]
    assert(middle !== undefined)
    return middle
  })
}

const isOfBlocks = ([key]: readonly [Uint8Array, Uint8Array]) =>
  blockKinds.some((kind) => describeKey(key).startsWith(kind))

/** Of the first two blocks: head and batches, of which the first has two. */
async function somePieces(): Promise<[key: Uint8Array, value: Uint8Array][]> {
  return (await entriesOf(short)).filter(
    (entry) => isOfBlocks(entry) && /height [12][,)]/.test(describeKey(entry[0])),
  )
}

const changes: Record<string, (value: Uint8Array) => Uint8Array> = {
  'its first byte': (value) => value.with(0, (value[0] ?? 0) ^ 1),
  'its middle byte': (value) => {
    const middle = Math.floor(value.length / 2)
    return value.with(middle, (value[middle] ?? 0) ^ 0x10)
  },
  'its last byte': (value) => value.with(-1, (value.at(-1) ?? 0) ^ 0x80),
  'its end, cut off': (value) => value.slice(0, -1),
  'its end, by a byte more': (value) => Uint8Array.from([...value, 0]),
  'all of it, to nothing': () => new Uint8Array(),
}

describe('checkDatabase', () => {
  it('finds nothing wrong in a store that has every kind of key', async () => {
    const found = new Set((await entriesOf(full)).map(([key]) => kindOf(key)))
    assert.deepEqual([...found].sort(), Object.keys(kinds).sort())
    assert.equal((await oneOfEachKind()).length, Object.keys(kinds).length - 1 + 6)

    assert.deepEqual(await problemsOf(full), [])
  })

  it('refuses an older format, which a start brings to this one', async () => {
    const older = await copyOf(full)
    await older.write([{ type: 'put', key: metaKeys.format, value: Uint8Array.of(0, 0, 0, 3) }])
    await assert.rejects(problemsOf(older), {
      name: 'StorageError',
      code: 'format-too-old',
      message: /has format 3.*brings it to 5/,
    })
  })

  it('finds nothing wrong in a store whose block 1 is still to come', async () => {
    const store = new MemoryStore()
    const chain = await ChainBuilder.create({ store })
    assert.deepEqual(await problemsOf(store, chain), [])
  })

  for (const [what, change] of Object.entries(changes)) {
    it(`names every value of which somebody changed ${what}`, async () => {
      const damaged = await copyOf(full)
      const chosen = (await oneOfEachKind()).filter((entry) => !isOfBlocks(entry))
      for (const [key, value] of chosen) await damaged.write([{ type: 'put', key, value: change(value) }])

      assert.deepEqual(
        placesIn(await problemsOf(damaged)),
        chosen.map(([key]) => describeKey(key)),
      )
    })

    it(`names the piece of a block of which somebody changed ${what}`, async () => {
      for (const [key, value] of await somePieces()) {
        const damaged = await copyOf(short)
        await damaged.write([{ type: 'put', key, value: change(value) }])

        assert.equal(placesIn(await problemsOf(damaged))[0], describeKey(key))
      }
    })
  }

  it('names a value that is exchanged for another of its kind', async () => {
    const byKind = Map.groupBy(await entriesOf(short), ([key]) => String(kindOf(key)))
    const damaged = await copyOf(short)
    const wanted: string[] = []
    for (const kind of [
      'header',
      'batchPlace',
      'messagePlace',
      'poolBatch',
      'evidence',
      'frame',
      'refusal',
    ]) {
      const [[key] = [], [, value] = []] = byKind.get(kind) ?? []
      assert(key !== undefined && value !== undefined)
      await damaged.write([{ type: 'put', key, value }])
      wanted.push(describeKey(key))
    }

    assert.deepEqual(placesIn(await problemsOf(damaged)).sort(), wanted.sort())
  })

  it('names a page of the trie that is missing, changed or another', async () => {
    const pages = pagesOf(short)
    // The last that a checkpoint writes are the upper ones: the trie leads to them.
    for (const { id, bytes } of pages.slice(-2)) {
      const other = pages.find((page) => page.id !== id)?.bytes ?? assert.fail()
      for (const [instead, fault] of [
        [undefined, 'missing'],
        [bytes.with(33, (bytes[33] ?? 0) ^ 1), 'its hash is not the one that the page above names'],
        [other, 'its hash is not the one that the page above names'],
      ] as const) {
        const damaged = await copyOf(short)
        damaged.pages.get = (asked) => (asked === id ? instead : short.pages.get(asked))
        const [problem = ''] = await problemsOf(damaged)
        assert.equal(problem, `trie page (number ${id}): ${fault}`)
      }
      const damaged = await copyOf(short)
      damaged.pages.get = (asked) => {
        if (asked === id) throw new StorageError('corrupted', 'its checksum is wrong')
        return short.pages.get(asked)
      }
      assert.deepEqual(await problemsOf(damaged), [`trie page (number ${id}): it is damaged`])
    }
  })

  it('names what is missing of the chain', async () => {
    const damaged = await copyOf(full)
    const sealed = ['poolBatch', 'frame', 'evidence', 'refusal', 'refusalOrder']
    const chosen = (await oneOfEachKind()).filter(
      (entry) =>
        !isOfBlocks(entry) &&
        !sealed.includes(String(kindOf(entry[0]))) &&
        !/signing-number|peers|trie-checkpoint/.test(describeKey(entry[0])),
    )
    for (const [key] of chosen) await damaged.write([{ type: 'del', key }])

    assert.deepEqual(
      await problemsOf(damaged),
      chosen.map(([key]) => `${describeKey(key)}: missing`),
    )
  })

  it('names the missing piece of a block, the head of the last one too', async () => {
    const last = (await entriesOf(short)).filter(([key]) => describeKey(key) === 'block head (height 9)')
    assert.equal(last.length, 1)
    for (const [key] of [...(await somePieces()), ...last]) {
      const damaged = await copyOf(short)
      await damaged.write([{ type: 'del', key }])

      const [problem = ''] = await problemsOf(damaged)
      assert.match(problem, /missing/)
      const height = /height \d+/.exec(describeKey(key))?.[0] ?? ''
      assert.ok(problem.startsWith(`block head (${height})`), problem)
    }
  })

  it('names a refusal without its place in the order, and a place without its refusal', async () => {
    const entries = await entriesOf(short)
    const ofKind = (kind: string) => entries.filter(([key]) => kindOf(key) === kind)
    const [order] = ofKind('refusalOrder')
    const [refusal] = ofKind('refusal')
    assert(order !== undefined && refusal !== undefined)
    for (const [key] of [order, refusal]) {
      const damaged = await copyOf(short)
      await damaged.write([{ type: 'del', key }])
      const problems = await problemsOf(damaged)
      assert.equal(problems.length, 1)
      assert.match(problems[0] ?? '', /^refusal.*missing/)
    }
  })

  it('takes a refusal that came twice for right', async () => {
    const store = new MemoryStore()
    const chain = await ChainBuilder.create({ store })
    const expired = aMessage('again', { expiresAt: 0 })
    await chain.addBlock({ messages: [expired] })
    await chain.addBlock({ messages: [expired, aMessage('other')] })

    assert.deepEqual(await problemsOf(store, chain), [])
  })

  it('names what was added, whether of a known kind or not', async () => {
    const damaged = await copyOf(full)
    const added = (await oneOfEachKind()).flatMap(([key, value]) => {
      // The last byte is of the place in all kinds; 0xee makes a place that nothing has.
      const other = key.with(-1, 0xee)
      return [{ type: 'put', key: other, value } as const]
    })
    const strange = { type: 'put', key: Uint8Array.of(0xf0, 1), value: Uint8Array.of(1) } as const
    const tooLong = {
      type: 'put',
      key: Uint8Array.of(0x12, 0, 0, 0, 0, 0, 0, 0, 1, 0),
      value: strange.value,
    } as const
    await damaged.write([...added, strange, tooLong])

    const places = placesIn(await problemsOf(damaged))
    const wanted = [...added, strange, tooLong].map(({ key }) => describeKey(key))
    assert.deepEqual(places.sort(), wanted.sort())
  })

  it('goes on comparing below a block that cannot be replayed, and checks what is under way', async () => {
    const damaged = await copyOf(short)
    const entries = await entriesOf(short)
    const entryOf = (place: string) => {
      const entry = entries.find(([key]) => describeKey(key).startsWith(place))
      assert(entry !== undefined, place)
      return entry
    }
    for (const place of ['block head (height 8)', 'header (height 4)', 'evidence (validator 2']) {
      const [key, value] = entryOf(place)
      await damaged.write([{ type: 'put', key, value: value.with(20, (value[20] ?? 0) ^ 1) }])
    }

    const problems = await problemsOf(damaged)
    assert.deepEqual(placesIn(problems.filter((problem) => problem.includes('): '))), [
      'block head (height 8)',
      'header (height 4)',
      describeKey(entryOf('evidence (validator 2')[0]),
    ])
    assert.match(problems[1] ?? '', /replayed up to block 7;/)
  })

  it('refuses a chain whose finalization is of less than a quorum', async () => {
    const store = new MemoryStore()
    const chain = await ChainBuilder.create({ store })
    await chain.addBlock({ signers: [0, 1] })

    assert.match((await problemsOf(store, chain))[0] ?? '', /^block head \(height 1\): no-quorum/)
  })

  it('refuses a chain with a block of a validator whose turn it was not', async () => {
    const store = new MemoryStore()
    const chain = await ChainBuilder.create({ store })
    await chain.addBlock({ leader: (chain.leaderOf(0) + 1) % 4 })

    assert.match(
      (await problemsOf(store, chain))[0] ?? '',
      /^block head \(height 1\): made by .* in the turn of/,
    )
  })

  it('replays a block that was full, though the batch that did not fit is not stored', async () => {
    const store = new MemoryStore()
    const limits = { maxMessageBytes: 400, maxBatchBytes: 500, maxBlockBytes: 700 }
    const chain = await ChainBuilder.create({ store, limits })
    const batches = [0, 1].map((author) => chain.batch([aMessage(`${author}`.repeat(350))], author))
    await chain.addBlock({ batches })
    assert.equal((await chain.readFinal(1)).batches.length, 1)

    assert.deepEqual(await problemsOf(store, chain), [])
  })

  it('says so where the store is of another network', async () => {
    const other = await ChainBuilder.create({ seed: 9 })

    const problems = await problemsOf(short, other)
    assert.ok(problems.some((problem) => problem.startsWith('meta (genesis): changed')))
  })

  it('counts problems beyond a hundred instead of listing them', async () => {
    const damaged = await copyOf(short)
    for (let at = 0; at < 110; at += 1)
      await damaged.write([{ type: 'put', key: Uint8Array.of(0xf0, at), value: Uint8Array.of(1) }])

    const problems = await problemsOf(damaged)
    assert.equal(problems.length, 101)
    assert.equal(problems.at(-1), 'and 10 problems more')
  })

  it('tells how far it is', async () => {
    const store = new MemoryStore()
    const chain = await ChainBuilder.create({ store })
    await chain.addBlocksUpTo(3)
    const seen: [number, number][] = []
    await checkDatabase({
      genesis: chain.genesis,
      stored: store,
      rebuild: async () => new MemoryStore(),
      onProgress: (height, total) => seen.push([height, total]),
    })

    assert.deepEqual(seen, [[3, 3]])
  })
})
