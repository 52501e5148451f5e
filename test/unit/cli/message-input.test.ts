import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatData, plural, table } from '../../../src/cli/format.ts'
import { dataOf, groupBytesMax, groupMessagesMax, groupsOf, linesOf } from '../../../src/cli/message-input.ts'

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
async function* chunks(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

test('lines are whole whatever the chunks, with or without an end of the last', async () => {
  const arrived = await collect(linesOf(chunks('a\nb', 'c\r\n', '\nd')))
  assert.deepEqual(arrived, [
    [{ text: 'a', line: 1 }],
    [{ text: 'bc', line: 2 }],
    [{ text: '', line: 3 }],
    [{ text: 'd', line: 4 }],
  ])
  assert.deepEqual(await collect(linesOf(chunks('a\n'))), [[{ text: 'a', line: 1 }]])
})

test('a character that is cut by a chunk is whole again', async () => {
  const [first, second] = [Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xac, 0x0a)]
  const input = (async function* () {
    yield first
    yield second
  })()
  assert.deepEqual(await collect(linesOf(input)), [[{ text: '€', line: 1 }]])
})

test('hex is read in either case, with or without 0x, and nothing else', () => {
  const read = (text: string) => dataOf(text, { isHex: true, place: 'here' })
  assert.deepEqual(read('0xFf00'), Uint8Array.of(255, 0))
  assert.deepEqual(read(''), new Uint8Array())
  for (const text of ['f', '0x0', 'zz', ' 00'])
    assert.throws(() => read(text), /^Error: here: pairs of hex digits/)
})

test('groups end at their count and at their bytes; one that is too large goes alone', async () => {
  const sizes = async (lengths: number[]) => {
    const arrivals = [lengths.map((length) => new Uint8Array(length))]
    return (await collect(groupsOf(arrivals, (data) => ({ data })))).map((group) => group.length)
  }
  assert.deepEqual(await sizes(Array(groupMessagesMax).fill(1)), [groupMessagesMax])
  assert.deepEqual(await sizes(Array(groupMessagesMax + 1).fill(1)), [groupMessagesMax, 1])
  assert.deepEqual(await sizes([groupBytesMax - 1, 1]), [2])
  assert.deepEqual(await sizes([groupBytesMax - 1, 2]), [1, 1])
  assert.deepEqual(await sizes([groupBytesMax + 1, 1]), [1, 1])
  assert.deepEqual(await sizes([]), [])
})

test('data are shown as text where they are some', () => {
  assert.equal(formatData(new TextEncoder().encode('grüß "dich"')), '"grüß \\"dich\\""')
  assert.equal(formatData(Uint8Array.of(0, 255)), '0x00ff')
  assert.equal(formatData(Uint8Array.of(7)), '0x07')
  assert.equal(formatData(new TextEncoder().encode('x'.repeat(100)), 10), '"xxxxxxxx…')
})

test('sizes and counts read like prose', () => {
  assert.equal(formatBytes(1023), '1023 B')
  assert.equal(formatBytes(1536), '1.5 KiB')
  assert.equal(formatBytes(5 * 1024 ** 4), '5120.0 GiB')
  assert.equal(plural(1, 'node'), '1 node')
  assert.equal(plural(0, 'node'), '0 nodes')
  assert.equal(
    table([
      ['a', '1'],
      ['long', '2'],
    ]),
    'a     1\nlong  2',
  )
})
