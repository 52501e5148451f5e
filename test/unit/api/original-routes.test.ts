// Every row of what the original's routes answered, the success texts to the byte, and its crashes as refusals.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { BlockView } from '../../../src/api/index.ts'
import { hexToBytes } from '../../../src/codec/index.ts'
import { callsTo } from '../../support/api-calls.ts'
import { aCommitment, genesisTime, validators, votes } from '../../support/api-node.ts'

const plain = 'text/plain; charset=utf-8'
const path = new URL('../../vectors/trie-and-chain.json', import.meta.url)
const vectors = JSON.parse(readFileSync(path, 'utf8')) as {
  chain: { messages: { json: string; scheduleReply: string }[] }
}
const schedulable = '{"data":[1,2,3,4,5],"timestamp":0}'
const listOf = (bytes: Uint8Array | string): string =>
  JSON.stringify([...(typeof bytes === 'string' ? hexToBytes(bytes) : bytes)])
const keyBits = Array.from({ length: 256 }, (_, bit) => (bit === 0 || bit === 255 ? 1 : 0))
const keyHex = `80${'00'.repeat(30)}01`
const proof = '{"nodes":[[false,{"Root":{"hash":null,"left":null,"right":null}}]]}'

test('schedules a message with the original reply to the byte, and again when it is known', async (t) => {
  const { node, post } = callsTo(t)
  for (const { json, scheduleReply } of vectors.chain.messages) {
    for (let times = 0; times < 2; times += 1) {
      const reply = await post('/schedule', json)
      assert.equal(reply.statusCode, 200)
      assert.equal(reply.headers['content-type'], plain)
      assert.equal(reply.body, scheduleReply)
    }
  }
  assert.equal(node.pool({}).messageCount, vectors.chain.messages.length)
})

test('takes every JSON content type, and refuses others before it looks at the body', async (t) => {
  const { post, call } = callsTo(t)
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/foo+json',
    'Application/JSON',
  ]) {
    assert.equal((await post('/schedule', schedulable, { 'content-type': type })).statusCode, 200, type)
  }
  for (const type of [
    'text/plain',
    'text/json',
    'application/jsonx',
    'application/x-www-form-urlencoded',
    'nonsense',
  ]) {
    const reply = await post('/schedule', '{', { 'content-type': type })
    assert.equal(reply.statusCode, 415, type)
    assert.equal(reply.headers['content-type'], plain)
  }
  for (const url of ['/schedule', '/merkle_proof', '/commit', '/propose']) {
    assert.equal((await call({ method: 'POST', url })).statusCode, 415, url)
    assert.equal(
      (await call({ method: 'POST', url, payload: Buffer.from(schedulable) })).statusCode,
      415,
      url,
    )
  }
})

test('refuses what is no JSON with 400', async (t) => {
  const { post } = callsTo(t)
  for (const url of ['/schedule', '/merkle_proof', '/commit', '/propose']) {
    for (const body of ['', url === '/merkle_proof' ? '[1,2' : '{"x":[1,2', 'x']) {
      const reply = await post(url, body)
      assert.equal(reply.statusCode, 400, `${url} ${body}`)
      assert.equal(reply.headers['content-type'], plain)
    }
  }
})

test('refuses JSON of another form with 422, and coerces nothing', async (t) => {
  const { node, post } = callsTo(t)
  const bodies = [
    '{}',
    '{"data":[1]}',
    '{"data":[256],"timestamp":0}',
    '{"data":[-1],"timestamp":0}',
    '{"data":"AQ==","timestamp":0}',
  ]
  bodies.push(
    '{"data":[1.5],"timestamp":0}',
    '{"data":["1"],"timestamp":0}',
    '{"data":[true],"timestamp":0}',
    '[[1]]',
  )
  bodies.push(
    '{"data":[120.0],"timestamp":0}',
    '{"data":[1],"timestamp":"0"}',
    '{"data":[1],"timestamp":4294967296}',
  )
  bodies.push('{"data":7,"timestamp":0}', '{"data":[1],"timestamp":0,"timestamp":0}', 'null')
  for (const body of bodies) assert.equal((await post('/schedule', body)).statusCode, 422, body)
  assert.equal(node.submissions.length, 0)
})

test('ignores text after the value and unknown fields, and takes a list of the fields', async (t) => {
  const { node, post } = callsTo(t)
  for (const body of [
    '{"data":[8],"timestamp":1} more',
    '{"data":[8],"x":{"y":[]},"timestamp":1}',
    '[[8],1]',
  ]) {
    const reply = await post('/schedule', body)
    assert.equal(reply.body, '[Ok] Message is being sequenced: Message { data: [8], timestamp: 1 }')
  }
  assert.equal(node.pool({}).messageCount, 1)
})

test('refuses a body over 10,000,000 bytes, and takes one of just that', async (t) => {
  const { post } = callsTo(t)
  const body = (sizeBytes: number): string => schedulable.padEnd(sizeBytes, ' ')
  assert.equal((await post('/schedule', body(10_000_000))).statusCode, 200)
  assert.equal((await post('/schedule', body(10_000_001))).statusCode, 413)
})

test('says when the pool is full, and when to come again', async (t) => {
  const { node, post } = callsTo(t)
  node.refusal = { kind: 'refused', code: 'pool-full', reason: 'The pool is full.', retryAfterSeconds: 3 }
  const full = await post('/schedule', schedulable)
  assert.deepEqual([full.statusCode, full.headers['retry-after'], full.body], [503, '3', 'The pool is full.'])
  node.refusal = { kind: 'refused', code: 'too-large', reason: 'The message is too large.' }
  assert.equal((await post('/schedule', schedulable)).statusCode, 413)
})

test('shows the pool as Rust prints it, and as JSON to those who ask for it', async (t) => {
  const { get, post } = callsTo(t)
  assert.equal((await get('/get/pool')).body, '[]')
  await post('/schedule', '{"data":[9],"timestamp":1}')
  await post('/schedule', '{"data":[1,2,3],"timestamp":0}')
  const text = await get('/get/pool', { accept: '*/*' })
  assert.equal(text.headers['content-type'], plain)
  assert.equal(text.body, '[Message { data: [9], timestamp: 1 }, Message { data: [1, 2, 3], timestamp: 0 }]')
  const json = await get('/get/pool', { accept: 'application/json' })
  assert.equal(json.headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(json.body, '[{"data":[9],"timestamp":1},{"data":[1,2,3],"timestamp":0}]')
  assert.equal(
    (await get('/get/pool', { accept: 'application/json;q=0, */*' })).headers['content-type'],
    plain,
  )
})

test('writes a pool of many pieces whole', async (t) => {
  const { get, post } = callsTo(t)
  const data = Buffer.alloc(30_000, 200)
  for (let timestamp = 0; timestamp < 5; timestamp += 1) {
    await post('/schedule', { data: [...data], timestamp })
  }
  const reply = await get('/get/pool', { accept: 'application/json' })
  assert.deepEqual(
    reply.json(),
    Array.from({ length: 5 }, (_, timestamp) => ({ data: [...data], timestamp })),
  )
})

test('shows what was signed for the height under way, each as a body that /commit takes', async (t) => {
  const { node, get, post } = callsTo(t)
  const text = await get('/get/commitments')
  assert.match(text.body, /^\[ConsensusCommitment \{ validator: \[\d+, .* signature: \[[\d, ]+\] \}\]$/)
  const json = (await get('/get/commitments', { accept: 'application/json' })).json() as object[]
  assert.equal(json.length, 1 + votes.length)
  for (const each of json) assert.equal((await post('/commit', each)).statusCode, 200)
  assert.deepEqual(node.signed[0]?.signed.bytes, new Uint8Array(aCommitment(1).bytes))
})

test('counts blocks, genesis included', async (t) => {
  const { node, get } = callsTo(t)
  assert.equal((await get('/get/height')).body, '1')
  node.finalise()
  const reply = await get('/get/height')
  assert.deepEqual([reply.body, reply.headers['content-type']], ['2', plain])
})

test("shows a block as the original's JSON, our own fields after its fields", async (t) => {
  const { node, get, post } = callsTo(t)
  await post('/schedule', '{"data":[9],"timestamp":1}')
  const { block, finalization } = node.finalise() as BlockView & { kind: 'final' }
  const reply = await get('/get/block/1')
  assert.equal(reply.headers['content-type'], plain)
  const seconds = Math.floor((genesisTime + 1_500) / 1000)
  const commitments = finalization.signatures.map(({ validator, signature }) => {
    const key = listOf(validators[validator]?.votingKey ?? '')
    return `{"signature":${listOf(signature)},"validator":${key},"timestamp":${seconds}}`
  })
  const original =
    `{"height":1,"messages":[{"data":[9],"timestamp":1}],"signature":${listOf(block.signature)},` +
    `"commitments":[${commitments.join(',')}],"timestamp":${seconds}`
  assert.equal(reply.body.slice(0, original.length), original)
  const own = {
    id: block.id,
    timeMs: block.header.time,
    view: 1,
    leader: 2,
    stateRoot: block.header.stateRoot,
  }
  assert.partialDeepStrictEqual(reply.json(), own)
})

test('shows genesis as block 0', async (t) => {
  const { get } = callsTo(t)
  const { body } = await get('/get/block/0')
  const original = '{"height":0,"messages":[],"signature":[],"commitments":null,"timestamp":1700000000,'
  assert.equal(body.slice(0, original.length), original)
  JSON.parse(body)
})

test('warns with 200 of a block that does not exist, also of the last height there can be', async (t) => {
  const { get } = callsTo(t)
  for (const height of ['1', '+7', '007', '4294967295']) {
    const reply = await get(`/get/block/${height}`)
    assert.equal(reply.statusCode, 200)
    assert.equal(reply.body, '[Warning] Requested Block that does not exist')
  }
})

test('refuses a height that is no u32', async (t) => {
  const { get } = callsTo(t)
  for (const height of ['abc', '-1', '4294967296', '1.0', '1e2', '0x1', '%20', '99999999999999999999']) {
    const reply = await get(`/get/block/${height}`)
    assert.equal(reply.statusCode, 400, height)
    assert.equal(reply.headers['content-type'], plain)
  }
})

test('shows the state root, with nulls while there is none', async (t) => {
  const { node, get } = callsTo(t)
  assert.equal((await get('/get/state_root_hash')).body, '{"hash":null,"left":null,"right":null}')
  node.root = { hash: Uint8Array.of(175, 115), left: Uint8Array.of(69), right: null }
  const reply = await get('/get/state_root_hash')
  assert.equal(reply.body, '{"hash":[175,115],"left":[69],"right":null}')
  assert.equal(reply.headers['content-type'], plain)
})

test('proves a key that is in the trie', async (t) => {
  const { node, post } = callsTo(t)
  node.prove(keyHex, proof)
  const reply = await post('/merkle_proof', keyBits)
  assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [200, proof, plain])
})

test('waits for a pending message before it proves it', async (t) => {
  const { node, post } = callsTo(t)
  node.pendingKeys.add(keyHex)
  const waiting = node.nextSubmission()
  const reply = post('/merkle_proof', keyBits)
  await waiting
  node.prove(keyHex, proof)
  assert.equal((await reply).body, proof)
  assert.equal(node.waitingForKeyCount, 0)
})

test('says 404 of a key that is not there, and of a pending one after its time', async (t) => {
  const { node, post } = callsTo(t, { merkleProofTimeoutMs: 1 })
  assert.equal((await post('/merkle_proof', keyBits)).statusCode, 404)
  node.pendingKeys.add(keyHex)
  const reply = await post('/merkle_proof', keyBits)
  assert.equal(reply.statusCode, 404)
  assert.match(reply.body, /^No final message has this key/)
})

test('tells those who would wait beyond the bound to come again', async (t) => {
  const { node, post } = callsTo(t, { maxWaiting: 0 })
  node.pendingKeys.add(keyHex)
  const reply = await post('/merkle_proof', keyBits)
  assert.deepEqual([reply.statusCode, reply.headers['retry-after']], [503, '1'])
})

test('refuses a key that is not 256 bits', async (t) => {
  const { post } = callsTo(t)
  for (const body of [[], keyBits.slice(1), [...keyBits, 0], [2, ...keyBits.slice(1)], {}, 7, [300]]) {
    assert.equal((await post('/merkle_proof', body)).statusCode, 422)
  }
})

const signed = { bytes: [1, 2, 3], signature: Array(64).fill(7), validator: Array(32).fill(9) }

test('hands on what a validator signed', async (t) => {
  const { node, post } = callsTo(t)
  const commit = await post('/commit', signed)
  assert.equal(commit.headers['content-type'], plain)
  assert.ok(commit.body.startsWith('[Ok] Commitment was accepted: ConsensusCommitment { validator: [9, 9, '))
  const propose = await post('/propose', signed)
  assert.deepEqual([propose.statusCode, propose.body], [200, '[Ok] Block was processed'])
  assert.deepEqual(
    node.signed.map(({ kind }) => kind),
    ['commit', 'propose'],
  )
  assert.equal(node.signed[0]?.signed.validator, '09'.repeat(32))
})

test('refuses what is not valid with 400 and why, and keys and signatures that are none', async (t) => {
  const { node, post } = callsTo(t)
  node.outcome = { kind: 'rejected', reason: 'the signature does not verify' }
  const reply = await post('/commit', signed)
  assert.deepEqual([reply.statusCode, reply.body], [400, 'It was rejected: the signature does not verify.'])
  node.signed.length = 0
  const wrong = [
    { ...signed, signature: [] },
    { ...signed, signature: Array(65).fill(1) },
    { ...signed, validator: [1, 2] },
  ]
  for (const body of wrong) {
    for (const url of ['/commit', '/propose']) assert.equal((await post(url, body)).statusCode, 400)
  }
  assert.equal((await post('/propose', { bytes: [1], validator: signed.validator })).statusCode, 422)
  assert.equal((await post('/propose', { ...signed, signature: null })).statusCode, 422)
  assert.equal(node.signed.length, 0)
})

test('answers unknown paths with an empty 404 and other methods with an empty 405', async (t) => {
  const { call } = callsTo(t)
  for (const url of ['/nope', '/get', '/get/block', '/get/block/', '/get/height/', '/Schedule']) {
    const reply = await call({ method: 'GET', url })
    assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [404, '', undefined], url)
  }
  for (const url of ['/schedule', '/merkle_proof', '/commit', '/propose']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'] as const) {
      const reply = await call({ method, url })
      assert.deepEqual(
        [reply.statusCode, reply.body, reply.headers.allow],
        [405, '', 'POST'],
        `${method} ${url}`,
      )
    }
  }
  for (const url of [
    '/get/pool',
    '/get/commitments',
    '/get/block/1',
    '/get/height',
    '/get/state_root_hash',
  ]) {
    for (const method of ['POST', 'PUT', 'QUERY'] as const) {
      const reply = await call({ method, url, payload: '{' })
      assert.deepEqual([reply.statusCode, reply.body, reply.headers.allow], [405, '', 'GET,HEAD'], url)
    }
  }
})

test('looks at neither body nor content type where there is no such route or method', async (t) => {
  const { call } = callsTo(t)
  const headers = { 'content-type': 'nonsense' }
  for (const [url, status] of [
    ['/nope', 404],
    ['/get/pool', 405],
  ] as const) {
    const reply = await call({ method: 'POST', url, headers, payload: '{' })
    assert.deepEqual([reply.statusCode, reply.body], [status, ''], url)
  }
})

test('answers HEAD where it answers GET', async (t) => {
  const { call } = callsTo(t)
  for (const url of [
    '/get/pool',
    '/get/commitments',
    '/get/block/0',
    '/get/height',
    '/get/state_root_hash',
  ]) {
    const reply = await call({ method: 'HEAD', url })
    assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [200, '', plain], url)
  }
})
