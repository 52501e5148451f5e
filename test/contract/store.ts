// What every KeyValueStore must do, run against each of them by test/unit/storage/store.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { KeyRange, KeyValueStore, WriteOperation } from '../../src/storage/index.ts'

const synced = { sync: true }

export interface StoreUnderTest {
  readonly name: string
  /** An empty store. */
  open(): Promise<KeyValueStore>
}

export function storeContract({ name, open }: StoreUnderTest): void {
  describe(`${name} as a KeyValueStore`, () => {
    it('gives back what was put, and undefined for what was not', async () => {
      await using(open, async (store) => {
        await store.write([put('a', 'one'), put('b', '')], synced)

        assert.deepEqual(store.get(bytes('a')), bytes('one'))
        assert.deepEqual(store.get(bytes('b')), bytes(''))
        assert.equal(store.get(bytes('c')), undefined)
        assert.deepEqual(await store.getMany(['b', 'c', 'a', 'a'].map(bytes)), [
          bytes(''),
          undefined,
          bytes('one'),
          bytes('one'),
        ])
        assert.deepEqual(await store.getMany([]), [])
      })
    })

    it('gives out plain bytes', async () => {
      await using(open, async (store) => {
        await store.write([put('a', 'one')], synced)

        assert.equal(store.get(bytes('a'))?.constructor, Uint8Array)
        assert.equal((await store.getMany([bytes('a')]))[0]?.constructor, Uint8Array)
        for (const [key, value] of await all(store)) {
          assert.equal(key.constructor, Uint8Array)
          assert.equal(value.constructor, Uint8Array)
        }
      })
    })

    it('keeps what it was given, not the memory it came in', async () => {
      await using(open, async (store) => {
        const memory = Uint8Array.of(1, 2, 3, 4)
        const [key, value] = [memory.subarray(0, 2), memory.subarray(2)]
        const written = store.write([{ type: 'put', key, value }], synced)
        await written
        memory.fill(9)

        assert.deepEqual(store.get(Uint8Array.of(1, 2)), Uint8Array.of(3, 4))
      })
    })

    it('performs the operations of a write in order', async () => {
      await using(open, async (store) => {
        await store.write([put('a', '1'), put('b', '1')], synced)
        await store.write([put('a', '2'), put('a', '3'), del('b'), put('c', '1'), del('c'), del('d')], synced)

        assert.deepEqual(await texts(store), ['a=3'])
      })
    })

    it('writes nothing for an empty list', async () => {
      await using(open, async (store) => {
        await store.write([], synced)

        assert.deepEqual(await texts(store), [])
      })
    })

    it('takes operations that are made one after another, and none of them where that fails', async () => {
      await using(open, async (store) => {
        await store.write([put('a', '1')], synced)
        const made = {
          *[Symbol.iterator]() {
            yield put('b', '1')
            yield del('a')
          },
        }
        const failing = {
          *[Symbol.iterator]() {
            yield* [put('c', '1'), del('b')]
            throw new RangeError('no more')
          },
        }
        await store.write(made, synced)
        await assert.rejects(store.write(failing, synced), RangeError)
        assert.deepEqual(await texts(store), ['b=1'])
        await store.write([put('d', '1')], synced)
        assert.deepEqual(await texts(store), ['b=1', 'd=1'])
      })
    })

    it('iterates over a range in the order of unsigned bytes', async () => {
      await using(open, async (store) => {
        const keys = [[0x80], [0x7f, 0xff], [0xff], [0x7f], [0x00], [0x80, 0x00]].map((key) =>
          Uint8Array.from(key),
        )
        await store.write(
          keys.map((key) => ({ type: 'put', key, value: bytes('x') })),
          synced,
        )
        const found = async (range: KeyRange) => {
          const entries: number[][] = []
          for await (const [key] of store.iterate(range)) entries.push([...key])
          return entries
        }
        const range = { gte: Uint8Array.of(0x7f), lt: Uint8Array.of(0xff) }

        assert.deepEqual(await found(range), [[0x7f], [0x7f, 0xff], [0x80], [0x80, 0x00]])
        assert.deepEqual(await found({ ...range, reverse: true, limit: 2 }), [[0x80, 0x00], [0x80]])
        assert.deepEqual(await found({ gte: Uint8Array.of(0x81), lt: Uint8Array.of(0x81) }), [])
        assert.deepEqual(await found({ gte: Uint8Array.of(0x90), lt: Uint8Array.of(0x20) }), [])
      })
    })

    it('iterates over the entries as they were when the iteration began', async () => {
      await using(open, async (store) => {
        await store.write([put('a', '1'), put('b', '1')], synced)
        const seen: string[] = []
        for await (const entry of store.iterate(everything)) {
          if (seen.length === 0) await store.write([put('aa', '2'), del('b')], synced)
          seen.push(textOf(entry))
        }

        assert.deepEqual(seen, ['a=1', 'b=1'])
        assert.deepEqual(await texts(store), ['a=1', 'aa=2'])
      })
    })

    it('lets an iteration be left before its end', async () => {
      await using(open, async (store) => {
        await store.write([put('a', '1'), put('b', '1')], synced)
        for await (const _ of store.iterate(everything)) break
        await store.write([del('a')], synced)

        assert.deepEqual(await texts(store), ['b=1'])
      })
    })

    it('iterates over more than one fetch of entries', async () => {
      await using(open, async (store) => {
        const numbers = Array.from({ length: 1000 }, (_, at) => String(at).padStart(4, '0'))
        await store.write(
          numbers.map((text) => put(text, text)),
          { sync: false },
        )

        assert.deepEqual(
          await texts(store),
          numbers.map((text) => `${text}=${text}`),
        )
      })
    })

    it('fails with "closed" after it is closed, and closes twice without complaint', async () => {
      const store = await open()
      await store.close()
      await store.close()

      const closed = { name: 'StorageError', code: 'closed' }
      assert.throws(() => store.get(bytes('a')), closed)
      await assert.rejects(store.getMany([bytes('a')]), closed)
      await assert.rejects(store.write([put('a', '1')], synced), closed)
      await assert.rejects(texts(store), closed)
    })

    it('agrees with a sorted list over random writes', async () => {
      const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u0000'), minLength: 1, maxLength: 3 })
      const operation = fc.oneof(
        fc.tuple(text, text).map(([key, value]) => put(key, value)),
        text.map(del),
      )
      const writes = fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(writes, async (steps) => {
          await using(open, async (store) => {
            const model = new Map<string, string>()
            for (const operations of steps) {
              await store.write(operations, { sync: false })
              for (const { key, ...rest } of operations) {
                if (rest.type === 'put') model.set(hex(key), hex(rest.value))
                else model.delete(hex(key))
              }
            }
            const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
            const found = (await all(store)).map(([key, value]) => [hex(key), hex(value)])
            assert.deepEqual(found, expected)
            for (const [key, value] of expected) {
              assert.deepEqual(store.get(Buffer.from(key, 'hex')), new Uint8Array(Buffer.from(value, 'hex')))
            }
          })
        }),
        { numRuns: 25 },
      )
    })
  })
}

const everything: KeyRange = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) }

async function using(
  open: () => Promise<KeyValueStore>,
  act: (store: KeyValueStore) => Promise<void>,
): Promise<void> {
  const store = await open()
  try {
    await act(store)
  } finally {
    await store.close()
  }
}

async function all(store: KeyValueStore): Promise<(readonly [Uint8Array, Uint8Array])[]> {
  const entries: (readonly [Uint8Array, Uint8Array])[] = []
  for await (const entry of store.iterate(everything)) entries.push(entry)
  return entries
}

async function texts(store: KeyValueStore): Promise<string[]> {
  return (await all(store)).map(textOf)
}

function textOf([key, value]: readonly [Uint8Array, Uint8Array]): string {
  return `${new TextDecoder().decode(key)}=${new TextDecoder().decode(value)}`
}

function put(key: string, value: string): WriteOperation {
  return { type: 'put', key: bytes(key), value: bytes(value) }
}

function del(key: string): WriteOperation {
  return { type: 'del', key: bytes(key) }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}
