import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { BodyBudget, BodyReader, linesOf, parseJson } from '../../../src/api/body.ts'

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function linesIn(texts: string[], maxLineBytes = 100): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(pieces(...texts), maxLineBytes)) lines.push(line.toString())
  return lines
}

test('finds lines wherever the chunks are cut, and passes over blank ones', async () => {
  assert.deepEqual(await linesIn(['a\nb', 'c', 'd\n\n', ' \r\n', 'e']), ['a', 'bcd', 'e'])
  assert.deepEqual(await linesIn(['', '\n\n']), [])
  assert.deepEqual(await linesIn(['last\n']), ['last'])
})

test('refuses a line over the bound before its end has come, and takes one at the bound', async () => {
  assert.deepEqual(await linesIn(['abcd\nef'], 4), ['abcd', 'ef'])
  await assert.rejects(linesIn(['abcde\n'], 4), { code: 'message-too-large' })
  await assert.rejects(linesIn(['abc', 'de'], 4), { code: 'message-too-large' })
})

test('reads a body up to the limit and gives its budget back', async () => {
  const budget = new BodyBudget(100)
  const reader = new BodyReader(budget)
  const body = await reader.read(Readable.from(pieces('12', '345')), Number.NaN, 5)
  assert.equal(body.toString(), '12345')
  assert.equal(budget.usedBytes, 5)
  reader.release()
  assert.equal(budget.usedBytes, 0)
})

test('refuses a body over the limit, announced or not', async () => {
  const reader = new BodyReader(new BodyBudget(100))
  await assert.rejects(reader.read(Readable.from(pieces('12')), 6, 5), { code: 'body-too-large' })
  await assert.rejects(reader.read(Readable.from(pieces('123', '456')), Number.NaN, 5), {
    code: 'body-too-large',
  })
})

test('refuses a body where all bodies together are more than the budget', async () => {
  const budget = new BodyBudget(4)
  await new BodyReader(budget).read(Readable.from(pieces('123')), 3, 10)
  await assert.rejects(new BodyReader(budget).read(Readable.from(pieces('45')), 2, 10), { code: 'busy' })
})

test('refuses a body that is cut off', async () => {
  const payload = new Readable({ read() {} })
  const body = new BodyReader(new BodyBudget(100)).read(payload, 10, 100)
  payload.push('123')
  payload.destroy(new Error('aborted'))
  await assert.rejects(body, { code: 'invalid-json' })
})

test('takes JSON of well-formed UTF-8 only', () => {
  assert.deepEqual(parseJson(Buffer.from('{"a":"ü"}'), 'It'), { a: 'ü' })
  for (const bytes of [Buffer.from('{'), Buffer.from(''), Buffer.from([0x22, 0xff, 0x22])]) {
    assert.throws(() => parseJson(bytes, 'It'), { code: 'invalid-json' })
  }
})
