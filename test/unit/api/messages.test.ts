import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Submission } from '../../../src/api/index.ts'
import { callsTo } from '../../support/api-calls.ts'
import { FakeNode, idOf } from '../../support/api-node.ts'

const problemType = 'application/problem+json; charset=utf-8'
const ndjson = { 'content-type': 'application/x-ndjson' }
const encode = (text: string): string => Buffer.from(text).toString('base64')
const bytes = (text: string): Buffer => Buffer.from(text)

test('takes one message and answers 202 with its id', async (t) => {
  const { node, post } = callsTo(t)
  const full = { data: encode('hello'), namespace: 'a/b', timestamp: 7, expiresAt: 9 }
  const reply = await post('/v1/messages', full)
  const message = { data: bytes('hello'), namespace: 'a/b', timestamp: 7, expiresAt: 9 }
  assert.equal(reply.statusCode, 202)
  assert.deepEqual(reply.json(), { ids: [idOf(message)] })
  assert.deepEqual(node.submissions, [{ messages: [message], address: '127.0.0.1' }])
})

test('takes an absent timestamp as 0, and empty data', async (t) => {
  const { post } = callsTo(t)
  const reply = await post('/v1/messages', { data: '' })
  assert.deepEqual(reply.json(), { ids: [idOf({ data: bytes(''), timestamp: 0 })] })
})

test('takes a list, and answers ids in its order', async (t) => {
  const { node, post } = callsTo(t)
  const reply = await post('/v1/messages', [{ data: encode('b') }, { data: encode('a') }])
  const ids = ['b', 'a'].map((text) => idOf({ data: bytes(text), timestamp: 0 }))
  assert.deepEqual(reply.json(), { ids })
  assert.equal(node.submissions.length, 1)
})

test('takes a list of 10,000, not an empty one and not one more', async (t) => {
  const { post } = callsTo(t)
  const list = Array.from({ length: 10_000 }, (_, timestamp) => ({ data: 'AA==', timestamp }))
  assert.equal((await post('/v1/messages', list)).statusCode, 202)
  assert.equal((await post('/v1/messages', [...list, { data: 'AA==' }])).statusCode, 422)
  assert.equal((await post('/v1/messages', [])).statusCode, 422)
})

test('refuses fields of another form with 422 and one sentence that names the field', async (t) => {
  const { node, post } = callsTo(t)
  const refused: [unknown, RegExp][] = [
    [{}, /must have required property 'data'/],
    [{ data: 7 }, /data must be string/],
    [{ data: 'AA==', timestamp: '0' }, /timestamp must be integer/],
    [{ data: 'AA==', timestamp: 1.5 }, /timestamp must be integer/],
    [{ data: 'AA==', timestamp: 4294967296 }, /timestamp must be <= 4294967295/],
    [{ data: 'AA==', timestamp: -1 }, /timestamp must be >= 0/],
    [{ data: 'AA==', expiresAt: 2 ** 53 }, /expiresAt must be <= 9007199254740991/],
    [{ data: 'AA==', namespace: '' }, /namespace must NOT have fewer than 1 characters/],
    [{ data: 'AA==', namespace: 'a'.repeat(65) }, /namespace must NOT have more than 64 characters/],
    [{ data: 'AA==', namespace: null }, /namespace must be string/],
    [{ data: 'AA==', nonce: 1 }, /unknown field "nonce"/],
    [JSON.parse('{"data":"AA==","__proto__":{}}'), /unknown field "__proto__"/],
    [[{ data: 'AA==' }, { data: 'AA==', timestamp: true }], /1\.timestamp must be integer/],
    [7, /must be object/],
    [null, /must be object/],
  ]
  for (const [body, sentence] of refused) {
    const reply = await post('/v1/messages', body)
    assert.equal(reply.statusCode, 422, JSON.stringify(body))
    assert.equal(reply.headers['content-type'], problemType)
    assert.equal(reply.json().code, 'invalid-body')
    assert.match(reply.json().detail, sentence)
  }
  assert.equal(node.submissions.length, 0)
})

test('refuses what is no canonical base64', async (t) => {
  const { post } = callsTo(t)
  for (const data of ['A', 'AA', 'AA=', 'AB==', '-_8=', 'A A=', 'AA==\n', 'AAA=A', '====', 'ü']) {
    const reply = await post('/v1/messages', [{ data: 'AA==' }, { data }])
    assert.equal(reply.statusCode, 422, data)
    assert.equal(reply.json().index, 1)
  }
})

test('refuses a namespace that is too long in bytes or no well-formed text, and takes the longest', async (t) => {
  const { post } = callsTo(t)
  assert.equal((await post('/v1/messages', { data: '', namespace: 'ü'.repeat(32) })).statusCode, 202)
  for (const body of [
    JSON.stringify({ data: '', namespace: 'ü'.repeat(33) }),
    '{"data":"","namespace":"\\ud800"}',
  ]) {
    const reply = await post('/v1/messages', body)
    assert.deepEqual([reply.statusCode, reply.json().code], [422, 'invalid-namespace'])
  }
})

test('refuses bodies that are no JSON, too large, or of another type', async (t) => {
  const { call, post } = callsTo(t, { maxBodyBytes: 100 })
  const status = async (body: string | Buffer, type = 'application/json'): Promise<number> =>
    (await post('/v1/messages', body, { 'content-type': type })).statusCode
  assert.equal(await status('{'), 400)
  assert.equal(await status(''), 400)
  assert.equal(await status(Buffer.from([0x22, 0xff, 0x22])), 400)
  assert.equal(await status('{"data":"AA=="} x'), 400)
  assert.equal(await status('{"data":"AA=="}'.padEnd(101)), 413)
  assert.equal(await status('{"data":"AA=="}'.padEnd(100)), 202)
  assert.equal(await status('{"data":"AA=="}', 'text/plain'), 415)
  assert.equal(await status('{"data":"AA=="}', 'application/json; charset=utf-8'), 202)
  assert.equal((await call({ method: 'POST', url: '/v1/messages' })).statusCode, 415)
})

test('passes on why the node refuses, by code', async (t) => {
  const { node, post } = callsTo(t)
  const codes = [
    ['pool-full', 503, 'pool-full'],
    ['too-large', 413, 'message-too-large'],
    ['invalid-namespace', 422, 'invalid-namespace'],
    ['reserved-namespace-invalid', 422, 'reserved-namespace-invalid'],
    ['expired', 422, 'expired'],
  ] as const
  for (const [code, status, told] of codes) {
    node.refusal = { kind: 'refused', code, reason: 'It is so.', index: 0 }
    const reply = await post('/v1/messages', { data: 'AA==' })
    assert.deepEqual([reply.statusCode, reply.json().code, reply.json().detail], [status, told, 'It is so.'])
    assert.equal(reply.json().index, 0)
    assert.equal(reply.headers['retry-after'], code === 'pool-full' ? '1' : undefined)
  }
})

test('says why as a sentence, however the node worded it', async (t) => {
  const { node, post } = callsTo(t)
  for (const [reason, told] of [
    ['the pool is full; try again soon', 'The pool is full; try again soon.'],
    ['expiresAt 0 has passed', 'expiresAt 0 has passed.'],
    ['Evidence has the timestamp 0.', 'Evidence has the timestamp 0.'],
  ] as const) {
    node.refusal = { kind: 'refused', code: 'expired', reason }
    assert.equal((await post('/v1/messages', { data: 'AA==' })).json().detail, told)
    assert.equal((await post('/schedule', '{"data":[1],"timestamp":0}')).body, told)
  }
})

test('names in words what a parameter has to be', async (t) => {
  const { get, post } = callsTo(t)
  const hash = '64 digits of lower-case hex'
  for (const [url, told] of [
    ['/v1/pool?limit=-1', "The request's query is refused: limit must be a whole number, at least 0."],
    ['/v1/headers?from=0', "The request's query is refused: from must be a whole number, at least 1."],
    ['/v1/headers', "The request's query is refused: it must have required property 'from'."],
    ['/v1/pool?x=1', 'The request\'s query is refused: it has the unknown field "x".'],
    ['/v1/blocks/x', 'The request\'s path is refused: height must be a whole number or "latest".'],
    ['/v1/messages/x', `The request's path is refused: id must be ${hash}.`],
    ['/v1/trie/x/proof', `The request's path is refused: key must be ${hash}.`],
  ] as const) {
    const reply = await get(url)
    assert.deepEqual([reply.statusCode, reply.json().detail], [400, told])
  }
  assert.equal(
    (await post('/v1/messages?wait=now', { data: 'AA==' })).json().detail,
    "The request's query is refused: wait must be one of: final.",
  )
})

test('refuses a message that has expired, and takes one that may be in the next block', async (t) => {
  const { node, post } = callsTo(t)
  node.finalise()
  assert.equal((await post('/v1/messages', { data: '', expiresAt: 1 })).statusCode, 422)
  assert.equal((await post('/v1/messages', { data: '', expiresAt: 2 })).statusCode, 202)
})

test('waits until all are final when asked to', async (t) => {
  const { node, post } = callsTo(t)
  const submitted = node.nextSubmission()
  const reply = post('/v1/messages?wait=final', [{ data: encode('a') }, { data: encode('b') }])
  await submitted
  node.finalise()
  const { statusCode, json } = await reply
  const [a, b] = ['a', 'b'].map((text) => idOf({ data: bytes(text), timestamp: 0 }))
  assert.equal(statusCode, 200)
  assert.deepEqual(json(), {
    messages: [
      { id: a, state: 'final', height: 1, index: 0 },
      { id: b, state: 'final', height: 1, index: 1 },
    ],
  })
})

test('answers a wait for what is final already, and for what expired', async (t) => {
  const { node, post } = callsTo(t)
  await post('/v1/messages', { data: encode('a') })
  node.finalise()
  assert.equal((await post('/v1/messages?wait=final', { data: encode('a') })).json().messages[0].height, 1)
  const submitted = node.nextSubmission()
  const reply = post('/v1/messages?wait=final', { data: encode('b') })
  await submitted
  const id = idOf({ data: bytes('b'), timestamp: 0 })
  node.expire(id, 'its height has passed')
  assert.deepEqual((await reply).json(), {
    messages: [{ id, state: 'expired', reason: 'its height has passed' }],
  })
})

test('answers 202 with the ids after the time of a wait, and where too many wait', async (t) => {
  for (const limits of [{ waitFinalTimeoutMs: 1 }, { maxWaiting: 0 }, { maxWaitedMessages: 0 }]) {
    const { post } = callsTo(t, limits)
    const reply = await post('/v1/messages?wait=final', { data: encode('a') })
    assert.equal(reply.statusCode, 202)
    assert.deepEqual(reply.json(), { ids: [idOf({ data: bytes('a'), timestamp: 0 })] })
  }
})

test('refuses other parameters', async (t) => {
  const { post } = callsTo(t)
  for (const query of ['wait=yes', 'wait=', 'wait=final&wait=final', 'what=1']) {
    const reply = await post(`/v1/messages?${query}`, { data: '' })
    assert.deepEqual([reply.statusCode, reply.json().code], [400, 'invalid-parameter'], query)
  }
})

test('takes lines, in groups, and answers all ids in order', async (t) => {
  const { node, post } = callsTo(t)
  const texts = Array.from({ length: 2_500 }, (_, index) => `line ${index}`)
  const lines = texts.map((text) => JSON.stringify({ data: encode(text) }))
  const reply = await post('/v1/messages', `${lines.join('\n')}\r\n\n`, ndjson)
  assert.equal(reply.statusCode, 202)
  assert.deepEqual(
    reply.json().ids,
    texts.map((text) => idOf({ data: bytes(text), timestamp: 0 })),
  )
  assert.deepEqual(
    node.submissions.map(({ messages }) => messages.length),
    [1_000, 1_000, 500],
  )
})

test('names the line that is refused and the ids accepted before it', async (t) => {
  const { post } = callsTo(t)
  const lines = Array.from({ length: 1_001 }, (_, timestamp) => JSON.stringify({ data: '', timestamp }))
  for (const bad of ['{"data":7}', '{', '{"data":"A"}', '7', '[]']) {
    const reply = await post('/v1/messages', [...lines, bad].join('\n'), ndjson)
    assert.ok([400, 422].includes(reply.statusCode), bad)
    assert.deepEqual([reply.json().index, reply.json().ids.length], [1_001, 1_000], bad)
  }
})

test('tells where in the lines the pool was full', async (t) => {
  const { node, post } = callsTo(t)
  node.refusal = { kind: 'refused', code: 'pool-full', reason: 'The pool is full.', index: 1 }
  const reply = await post('/v1/messages', '{"data":""}\n{"data":"AA=="}', ndjson)
  assert.deepEqual([reply.statusCode, reply.headers['retry-after']], [503, '1'])
  assert.deepEqual([reply.json().index, reply.json().ids], [1, []])
})

/** Full for groups that are not of a thousand lines, for so many attempts. */
class CrowdedNode extends FakeNode {
  attemptsLeft: number

  constructor(attempts: number) {
    super()
    this.attemptsLeft = attempts
  }

  override async submitMessages(...call: Parameters<FakeNode['submitMessages']>): Promise<Submission> {
    if (call[0].length === 1_000 || this.attemptsLeft === 0) return super.submitMessages(...call)
    this.attemptsLeft -= 1
    return { kind: 'refused', code: 'pool-full', reason: 'The pool is full.' }
  }
}
const twoGroups = Array.from({ length: 1_500 }, (_, timestamp) => JSON.stringify({ data: '', timestamp }))

test('lines wait for room where lines before them were accepted', async (t) => {
  const { node, post } = callsTo(t, {}, new CrowdedNode(3))
  const reply = await post('/v1/messages', twoGroups.join('\n'), ndjson)
  assert.deepEqual([reply.statusCode, reply.json().ids?.length, node.attemptsLeft], [202, 1_500, 0])
})

test('lines do not wait for ever', async (t) => {
  const { node, post } = callsTo(t, { streamedPatienceMs: 150 }, new CrowdedNode(1_000))
  const reply = await post('/v1/messages', twoGroups.join('\n'), ndjson)
  assert.deepEqual([reply.statusCode, reply.json().ids.length], [503, 1_000])
  assert.equal(node.attemptsLeft, 997)
})

test('lines do not wait where too much waits already', async (t) => {
  const { node, post } = callsTo(t, { maxWaiting: 0 }, new CrowdedNode(1_000))
  const reply = await post('/v1/messages', twoGroups.join('\n'), ndjson)
  assert.deepEqual([reply.statusCode, reply.json().ids.length, node.attemptsLeft], [503, 1_000, 999])
})

test('many streams that wait for room ask for it no more often than one', async (t) => {
  const { node, post } = callsTo(t, { streamedPatienceMs: 1_000 }, new CrowdedNode(10_000))
  const body = twoGroups.join('\n')
  const replies = await Promise.all(Array.from({ length: 20 }, () => post('/v1/messages', body, ndjson)))
  for (const reply of replies) assert.deepEqual([reply.statusCode, reply.json().ids.length], [503, 1_000])
  // Each when it comes, and some when it is their turn; the first in line every tenth of a second.
  const attempts = 10_000 - node.attemptsLeft
  assert.ok(attempts >= 20 && attempts < 100, String(attempts))
})

test('streams that wait are let in one after another', async (t) => {
  const { node, post } = callsTo(t, {}, new CrowdedNode(12))
  const body = twoGroups.join('\n')
  const replies = await Promise.all(Array.from({ length: 10 }, () => post('/v1/messages', body, ndjson)))
  for (const reply of replies) assert.deepEqual([reply.statusCode, reply.json().ids.length], [202, 1_500])
  assert.equal(node.attemptsLeft, 0)
})

test('lines that wait for room leave others half of the memory for bodies', async (t) => {
  const limits = { maxBodyBytesInFlight: 300_000, streamedPatienceMs: 2_000 }
  const { call, node, post } = callsTo(t, limits, new CrowdedNode(10_000))
  const first = twoGroups.slice(0, 1_000).map((line) => `${line}\n`)
  const pieces = async function* () {
    yield Buffer.from(first.join(''))
    while (node.submissions.length === 0) await turn()
    // After its group: what was held of that is given back by now.
    for (let at = 0; at < 10; at++) await turn()
    yield Buffer.from(`{"data":"${'A'.repeat(200_000)}"}`)
  }
  const payload = Readable.from(pieces())
  const waiting = call({ method: 'POST', url: '/v1/messages', headers: ndjson, payload })
  while (node.attemptsLeft === 10_000) await turn()
  await turn()
  // Its body is read, and the pool asked.
  const other = await post('/v1/messages', { data: 'A'.repeat(140_000) })
  assert.equal(other.json().code, 'pool-full', other.body)
  assert.deepEqual([(await waiting).statusCode, (await waiting).json().ids.length], [503, 1_000])
})

test('bounds lines in number, in length and in all', async (t) => {
  const { post } = callsTo(t, { maxStreamedMessages: 2, maxStreamedBytes: 1_000_000 })
  const status = async (body: string): Promise<number> =>
    (await post('/v1/messages', body, ndjson)).statusCode
  const line = '{"data":""}\n'
  assert.equal(await status(line.repeat(2)), 202)
  assert.equal(await status(line.repeat(3)), 413)
  assert.equal(await status(' '.repeat(400_000)), 413)
  assert.equal(await status('\n'.repeat(1_000_001)), 413)
  assert.equal(await status(''), 422)
  assert.equal(await status('\n\n'), 422)
})

test('says where a message is', async (t) => {
  const { node, get, post } = callsTo(t)
  const { ids } = (await post('/v1/messages', { data: encode('a') })).json()
  const url = `/v1/messages/${ids[0]}`
  assert.deepEqual((await get(url)).json(), { id: ids[0], state: 'pending' })
  node.finalise()
  assert.deepEqual((await get(url)).json(), { id: ids[0], state: 'final', height: 1, index: 0 })
  const unknown = await get(`/v1/messages/${'0'.repeat(64)}`)
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'not-found'])
  for (const id of ['0', 'A'.repeat(64), '0'.repeat(65)]) {
    assert.equal((await get(`/v1/messages/${id}`)).statusCode, 400)
  }
})

test('gives back the room of bodies once they are answered', async (t) => {
  const { post } = callsTo(t, { maxBodyBytesInFlight: 40 })
  for (let times = 0; times < 5; times += 1) {
    assert.equal((await post('/v1/messages', { data: encode('a') })).statusCode, 202)
  }
  const reply = await post('/v1/messages', { data: encode('a'.repeat(40)) })
  assert.deepEqual([reply.statusCode, reply.json().code, reply.headers['retry-after']], [503, 'busy', '1'])
})
