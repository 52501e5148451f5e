import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { BlockView } from '../../../src/api/index.ts'
import { callsTo } from '../../support/api-calls.ts'
import { anEvidence, FakeNode, genesisTime, votes } from '../../support/api-node.ts'

const address = { address: '192.0.2.1' }
const aMessage = (byte: number, sizeBytes = 3): { data: Uint8Array; timestamp: number } => ({
  data: new Uint8Array(sizeBytes).fill(byte),
  timestamp: byte,
})

async function withBlocks(count: number, sizeBytes?: number): Promise<FakeNode> {
  const node = new FakeNode()
  for (let height = 1; height <= count; height += 1) {
    await node.submitMessages([aMessage(height, sizeBytes)], address)
    node.finalise()
  }
  return node
}

test('shows a block, its id the hash of its header bytes', async (t) => {
  const node = new FakeNode()
  const { get } = callsTo(t, {}, node)
  await node.submitMessages([{ ...aMessage(1), namespace: 'a', expiresAt: 9 }, aMessage(2)], address)
  const { block } = node.finalise() as BlockView & { kind: 'final' }
  const json = (await get('/v1/blocks/1')).json()
  const headerBytes = Buffer.from(json.headerBytes, 'base64')
  assert.equal(createHash('sha256').update(headerBytes).digest('hex'), block.id)
  assert.deepEqual([json.id, json.height, json.time], [block.id, 1, genesisTime + 1_500])
  const [first, second] = json.messages
  const { id, ...rest } = first
  assert.deepEqual(rest, { index: 0, namespace: 'a', data: 'AQEB', timestamp: 1, expiresAt: 9 })
  assert.match(id, /^[0-9a-f]{64}$/)
  assert.equal(second.index, 1)
  assert.equal(json.finalization.signatures.length, 3)
  assert.equal(json.commitments[0].entryCount, 1)
})

test('shows genesis, and the latest block', async (t) => {
  const { get } = callsTo(t, {}, await withBlocks(2))
  const genesis = (await get('/v1/blocks/0')).json()
  assert.deepEqual([genesis.height, genesis.header, genesis.finalization], [0, null, null])
  assert.equal((await get('/v1/blocks/latest')).json().height, 2)
})

test('lets caches keep a block for good, and the latest one only to ask again', async (t) => {
  const { get } = callsTo(t, {}, await withBlocks(1))
  const block = await get('/v1/blocks/1')
  assert.equal(block.headers['cache-control'], 'public, max-age=31536000, immutable')
  const latest = await get('/v1/blocks/latest')
  assert.equal(latest.headers['cache-control'], 'no-cache')
  const etag = String(block.headers.etag)
  assert.equal(latest.headers.etag, etag)
  for (const known of [etag, `"x", ${etag}`, etag.slice(2), '*']) {
    const again = await get('/v1/blocks/latest', { 'if-none-match': known })
    assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, '', etag], known)
  }
  assert.equal((await get('/v1/blocks/1', { 'if-none-match': '"x"' })).statusCode, 200)
})

test('says 404 of a block that is not final, and keeps no cache from asking again', async (t) => {
  const { get } = callsTo(t)
  const reply = await get('/v1/blocks/1')
  assert.deepEqual([reply.statusCode, reply.json().code], [404, 'not-found'])
  assert.equal(reply.headers['cache-control'], 'no-store')
  for (const height of ['-1', '01', 'x', '1.5', '9'.repeat(16)]) {
    assert.equal((await get(`/v1/blocks/${height}`)).statusCode, 400, height)
  }
})

test('lists blocks by pages', async (t) => {
  const { get } = callsTo(t, {}, await withBlocks(12))
  const page = async (query: string): Promise<[number[], number | null]> => {
    const { blocks, next } = (await get(`/v1/blocks${query}`)).json()
    return [blocks.map(({ height }: { height: number }) => height), next]
  }
  assert.deepEqual(await page(''), [[3, 4, 5, 6, 7, 8, 9, 10, 11, 12], null])
  assert.deepEqual(await page('?from=0&limit=2'), [[0, 1], 2])
  assert.deepEqual(await page('?from=11'), [[11, 12], null])
  assert.deepEqual(await page('?from=13'), [[], null])
  assert.deepEqual(await page('?limit=1'), [[12], null])
  assert.deepEqual(await page('?limit=0'), [[12], null])
  assert.deepEqual((await page('?limit=1000'))[0].length, 13)
  for (const query of ['?from=-1', '?from=1.5', '?limit=x', '?from=', '?to=3']) {
    assert.equal((await get(`/v1/blocks${query}`)).statusCode, 400, query)
  }
})

test('ends a page early where blocks are large', async (t) => {
  const { get } = callsTo(t, {}, await withBlocks(4, 2 * 1024 * 1024))
  const { blocks, next } = (await get('/v1/blocks?from=1&limit=4')).json()
  assert.deepEqual([blocks.length, next], [2, 3])
})

test('compresses large replies for those who take gzip', async (t) => {
  const { server } = callsTo(t, {}, await withBlocks(1))
  const ask = (accept: string) =>
    server.app.inject({ url: '/v1/blocks/1', headers: accept === '' ? {} : { 'accept-encoding': accept } })
  const whole = await ask('')
  assert.equal(whole.headers.vary, 'accept-encoding')
  for (const accept of ['gzip', 'br, gzip;q=0.5']) {
    const reply = await ask(accept)
    assert.equal(reply.headers['content-encoding'], 'gzip')
    assert.equal(gunzipSync(reply.rawPayload).toString(), whole.body)
  }
  for (const accept of ['br', 'gzip;q=0'])
    assert.equal((await ask(accept)).headers['content-encoding'], undefined)
})

test('shows its status, with why it is not ready', async (t) => {
  const { node, get } = callsTo(t)
  assert.partialDeepStrictEqual((await get('/v1/status')).json(), {
    chainId: 'test',
    isReady: true,
    finalHeight: 0,
  })
  node.ready = { isReady: false, reason: 'The node is catching up.' }
  const status = (await get('/v1/status')).json()
  assert.deepEqual([status.isReady, status.reason], [false, 'The node is catching up.'])
})

test('shows validators, peers, commitments and evidence', async (t) => {
  const { node, get } = callsTo(t)
  node.evidenceHeld = [anEvidence()]
  const set = (await get('/v1/validators')).json()
  assert.deepEqual([set.quorum, set.validators.length, set.validators[3].index], [3, 4, 3])
  assert.equal((await get('/v1/peers')).json().peers.length, 1)
  const under = (await get('/v1/commitments')).json()
  assert.deepEqual([under.height, under.commitments.length, under.votes.length], [1, 1, votes.length])
  const { evidence } = (await get('/v1/evidence')).json()
  assert.deepEqual([evidence[0].validator, evidence[0].first.kind], [2, 'nullify'])
})

test('shows the pool up to the limit asked, and counts all of it', async (t) => {
  const { node, get } = callsTo(t)
  await node.submitMessages([aMessage(1), aMessage(2), aMessage(3)], address)
  const pool = (await get('/v1/pool?limit=2')).json()
  assert.deepEqual([pool.messageCount, pool.sizeBytes, pool.messages.length], [3, 9, 2])
  assert.equal((await get('/v1/pool')).json().messages.length, 3)
  assert.equal((await get('/v1/pool?limit=-1')).statusCode, 400)
})

test('gives the genesis file as it is', async (t) => {
  const { node, get } = callsTo(t)
  const reply = await get('/v1/genesis')
  assert.equal(reply.body, node.genesisText())
  assert.equal((await get('/v1/genesis', { 'if-none-match': String(reply.headers.etag) })).statusCode, 304)
})

test('tells its limits', async (t) => {
  const { node, get } = callsTo(t, { rateLimit: false })
  const { protocol, http } = (await get('/v1/config')).json()
  assert.deepEqual(protocol, node.limits())
  assert.deepEqual(
    [http.maxBodyBytes, http.maxMessagesPerRequest, http.rateLimit],
    [10_000_000, 10_000, null],
  )
})
