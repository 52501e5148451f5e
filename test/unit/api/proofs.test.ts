import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataKey, verifyProof } from '../../../src/proofs/index.ts'
import { callsTo } from '../../support/api-calls.ts'
import { aMessage } from '../../support/chain-builder.ts'
import { ChainNode } from '../../support/chain-node.ts'
import { assertProven, chainOf, idsOf, there } from '../../support/proven-chain.ts'

const blocks = [['a', 'b', undefined], [], ['b']]

test('every proof route answers what the verifier takes', async (t) => {
  const chain = await chainOf(blocks)
  const { get } = callsTo(t, {}, new ChainNode(chain))
  const [id] = await idsOf(chain, 1)
  const key = dataKey(aMessage('block 1 message 0').data)
  for (const url of [
    `/v1/messages/${id}/proof`,
    `/v1/messages/${id}/proof?trie=true`,
    `/v1/messages/${id}/proof?trie=false`,
    '/v1/namespaces/a/blocks/1',
    '/v1/namespaces/a/blocks/2',
    '/v1/namespaces/aa/blocks/1',
    '/v1/namespaces/diseq%2Fevidence/blocks/1',
    `/v1/namespaces/${encodeURIComponent('ü/\u{1f600}')}/blocks/3`,
    '/v1/namespaces/b/blocks?from=1',
    '/v1/namespaces/b/blocks?from=2&limit=0',
    '/v1/namespaces/b/blocks?from=1&limit=5000',
    `/v1/trie/${key}/proof`,
    `/v1/trie/${key}/proof?height=2`,
    `/v1/trie/${'0'.repeat(64)}/proof`,
    '/v1/headers?from=1',
    '/v1/headers?from=2&limit=1',
  ]) {
    const reply = await get(url)
    assert.equal(reply.statusCode, 200, url)
    assertProven(verifyProof({ trust: chain.trust, proof: reply.body }))
  }
})

test('a proof that stays as it is may be kept for good, and is not sent again to those who have it', async (t) => {
  const chain = await chainOf(blocks)
  const { get } = callsTo(t, {}, new ChainNode(chain))
  const [id] = await idsOf(chain, 1)
  const key = '0'.repeat(64)
  for (const url of [
    `/v1/messages/${id}/proof`,
    '/v1/namespaces/a/blocks/1',
    '/v1/namespaces/aa/blocks/1',
    `/v1/trie/${key}/proof?height=2`,
  ]) {
    const { headers } = await get(url)
    assert.match(String(headers['cache-control']), /immutable/, url)
    const again = await get(url, { 'if-none-match': String(headers.etag) })
    assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, '', headers.etag], url)
  }
  for (const url of [
    `/v1/messages/${id}/proof?trie=true`,
    `/v1/trie/${key}/proof`,
    '/v1/namespaces/a/blocks?from=1',
    '/v1/headers?from=1',
  ]) {
    const { headers } = await get(url)
    assert.deepEqual([headers['cache-control'], headers.etag], ['no-store', undefined], url)
  }
})

test('a range has the blocks that were asked for, as far as there are such', async (t) => {
  const chain = await chainOf(blocks)
  const { get } = callsTo(t, {}, new ChainNode(chain))
  for (const [query, heights] of [
    ['from=1', [1, 2, 3]],
    ['from=1&limit=2', [1, 2]],
    ['from=3&limit=9', [3]],
    ['from=2&limit=0', [2]],
  ] as const) {
    for (const path of ['/v1/headers', '/v1/namespaces/b/blocks']) {
      const verdict = verifyProof({ trust: chain.trust, proof: (await get(`${path}?${query}`)).body })
      assertProven(verdict)
      const items = verdict.kind === 'headers' ? verdict.headers : []
      const shown = verdict.kind === 'namespace' ? verdict.blocks : items
      assert.deepEqual(
        shown.map(({ header }) => header.height),
        heights,
      )
    }
  }
})

test('what is not there is 404, and what is no such thing 400', async (t) => {
  const chain = await chainOf(blocks)
  const { get } = callsTo(t, {}, new ChainNode(chain))
  const hash = 'ab'.repeat(32)
  for (const url of [
    `/v1/messages/${hash}/proof`,
    '/v1/namespaces/a/blocks/4',
    '/v1/namespaces/a/blocks?from=4',
    `/v1/trie/${hash}/proof?height=4`,
    '/v1/headers?from=4',
  ]) {
    assert.equal((await get(url)).statusCode, 404, url)
  }
  for (const url of [
    '/v1/messages/xyz/proof',
    `/v1/messages/${hash}/proof?trie=yes`,
    `/v1/messages/${hash}/proof?more=1`,
    '/v1/namespaces/a/blocks/0',
    '/v1/namespaces/a/blocks/latest',
    '/v1/namespaces/a/blocks/-1',
    `/v1/namespaces/${'a'.repeat(65)}/blocks/1`,
    `/v1/namespaces/${encodeURIComponent('ü'.repeat(33))}/blocks/1`,
    '/v1/namespaces/a/blocks',
    '/v1/namespaces/a/blocks?from=0',
    '/v1/namespaces/a/blocks?from=1&limit=x',
    `/v1/trie/${hash.toUpperCase()}/proof`,
    `/v1/trie/${hash}/proof?height=1.5`,
    '/v1/headers',
    '/v1/headers?from=01',
  ]) {
    assert.equal((await get(url)).statusCode, 400, url)
  }
})

test('a trie that is no longer kept is 404, and says so', async (t) => {
  const chain = await chainOf([['a']], { validatorCount: 1 })
  await chain.builder.addBlocksUpTo(66)
  const { get } = callsTo(t, {}, new ChainNode(chain))
  const url = `/v1/trie/${'0'.repeat(64)}/proof?height=`
  assert.equal((await get(`${url}2`)).statusCode, 200)
  const reply = await get(`${url}1`)
  assert.equal(reply.statusCode, 404)
  assert.match(reply.json().detail, /no longer kept/)
})

test('a receipt comes with the reply where it is asked for, one for the whole request', async (t) => {
  const chain = await chainOf([['a']])
  const { post } = callsTo(t, {}, new ChainNode(chain))
  const messages = [{ data: 'YQ==' }, { data: 'Yg==', namespace: 'a' }]
  const reply = await post('/v1/messages?receipt=true', messages)
  assert.equal(reply.statusCode, 202)
  const { ids, receipt } = reply.json()
  const verdict = verifyProof({ trust: chain.trust, proof: receipt })
  assertProven(verdict)
  assert(verdict.kind === 'receipt')
  assert.deepEqual(verdict.ids, ids)
  const lines = '{"data":"Yw=="}\n{"data":"ZA=="}\n'
  const streamed = await post('/v1/messages?receipt=true', lines, { 'content-type': 'application/x-ndjson' })
  assert.equal(there(streamed.json().receipt).ids.length, 2)
  for (const query of ['', '?receipt=false']) {
    assert.equal('receipt' in (await post(`/v1/messages${query}`, messages)).json(), false)
  }
  assert.equal((await post('/v1/messages?receipt=yes', messages)).statusCode, 400)
})
