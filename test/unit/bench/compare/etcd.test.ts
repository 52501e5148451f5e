import assert from 'node:assert/strict'
import { test } from 'node:test'
import { etcdArguments, finalOf, writeOf } from '../../../../bench/compare/etcd.ts'
import { randomWorkload } from '../../../../src/bench/index.ts'

interface Put {
  readonly key: string
  readonly value: string
}

test('one message is a put, several are a transaction of puts, each under a key of its own', () => {
  const workload = randomWorkload(20)
  const messages = [workload.next(), workload.next(), workload.next()]
  const single = writeOf(messages.slice(0, 1))
  assert.equal(single.path, '/v3/kv/put')
  const together = writeOf(messages)
  assert.equal(together.path, '/v3/kv/txn')
  const { success } = JSON.parse(together.body) as { success: { requestPut: Put }[] }
  const puts = success.map(({ requestPut }) => requestPut)
  assert.deepEqual(puts[0], JSON.parse(single.body))
  assert.equal(new Set(puts.map(({ key }) => key)).size, 3)
  assert.deepEqual(
    puts.map(({ value }) => Buffer.from(value, 'base64')),
    messages,
  )
})

test('what a watch tells is known again by its values', () => {
  const workload = randomWorkload(20)
  const events = [workload.next(), workload.next()].map((message) => ({
    kv: { key: 'bQ==', value: Buffer.from(message).toString('base64') },
  }))
  const block = finalOf(JSON.stringify({ result: { header: {}, events } }))
  assert.deepEqual(
    block?.heads.map((head) => workload.numberOf(head)),
    [0, 1],
  )
  assert.equal(block?.dataBytes, 40)
})

test('the start of a watch is no message, and its end is an error', () => {
  assert.equal(finalOf('{"result":{"header":{},"created":true}}'), undefined)
  assert.throws(() => finalOf('{"result":{"canceled":true}}'), /cancelled/)
  assert.throws(() => finalOf('{"error":{"message":"gone"}}'), /gone/)
})

test('members know each other by loopback addresses, and syncs are left on', () => {
  const cluster = ['a=http://127.0.0.1:3', 'b=http://127.0.0.1:4']
  const args = etcdArguments({ name: 'a', clientPort: 1, peerPort: 3, cluster, folder: '/x' })
  const settingOf = (name: string) => args[args.indexOf(name) + 1]
  assert.equal(settingOf('--listen-client-urls'), 'http://127.0.0.1:1')
  assert.equal(settingOf('--listen-peer-urls'), 'http://127.0.0.1:3')
  assert.equal(settingOf('--initial-cluster'), 'a=http://127.0.0.1:3,b=http://127.0.0.1:4')
  assert.equal(settingOf('--data-dir'), '/x')
  assert.ok(!args.some((arg) => arg.includes('unsafe')))
})
