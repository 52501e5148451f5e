import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cometbftChanges } from '../../../../bench/compare/cometbft.ts'
import { finalOf, submitResultOf, txOf } from '../../../../bench/compare/cometbft-target.ts'
import { changeToml } from '../../../../bench/compare/toml.ts'
import { randomWorkload } from '../../../../src/bench/index.ts'

for (const sizeBytes of [8, 17, 18, 200]) {
  test(`a message of ${sizeBytes} bytes is a transaction that the application takes, and is known again by it`, () => {
    const workload = randomWorkload(sizeBytes)
    const messages = Array.from({ length: 300 }, () => workload.next())
    const txs = messages.map(txOf)
    for (const tx of txs) {
      const text = tx.toString('latin1')
      assert.match(text, /^[0-9a-f]{16}=[^=:]+$/s)
      assert.equal(tx.length, Math.max(18, sizeBytes))
    }
    const { heads, dataBytes } = finalOf(txs.map((tx) => tx.toString('base64')))
    assert.deepEqual(
      heads.map((head) => workload.numberOf(head)),
      messages.map((_, index) => index),
    )
    assert.equal(dataBytes, 300 * Math.max(18, sizeBytes))
  })
}

test('messages that the mempool had no room for are refused, the others accepted', () => {
  const taken = { result: { code: 0, log: '' } }
  const full = { error: { message: 'Internal error', data: 'mempool is full: number of txs 5000' } }
  assert.deepEqual(submitResultOf([{ id: 0, ...taken }]), { kind: 'accepted' })
  assert.equal(submitResultOf([{ id: 0, ...full }]).kind, 'refused')
  // Answers are known by their id, not by their place.
  const mixed = submitResultOf([
    { id: 1, ...full },
    { id: 0, ...taken },
  ])
  assert.ok(mixed.kind === 'partly')
  assert.deepEqual([...mixed.refused], [1])
})

test('a transaction that fails for another reason is no refusal', () => {
  assert.throws(() => submitResultOf([{ id: 0, result: { code: 2, log: 'invalid' } }]), /invalid/)
  assert.throws(() => submitResultOf([{ id: 0, error: { message: 'Internal error', data: 'in cache' } }]))
})

test('settings are changed under their own section, and nothing else', () => {
  const text = 'laddr = "a"\n[rpc]\n# laddr = "comment"\nladdr = "b"\n\n[p2p]\nladdr = "c"\nother = 1\n'
  assert.equal(
    changeToml(text, { rpc: { laddr: '"x"' } }),
    'laddr = "a"\n[rpc]\n# laddr = "comment"\nladdr = "x"\n\n[p2p]\nladdr = "c"\nother = 1\n',
  )
  assert.equal(changeToml(text, { '': { laddr: '"x"' } }), text.replace('"a"', '"x"'))
})

test('a setting that a release does not have is an error that names it', () => {
  assert.throws(() => changeToml('[rpc]\na = 1\n', { p2p: { a: '2' }, rpc: { a: '2' } }), /setting p2p\.a$/)
})

test('the network is tuned, and stays on loopback', () => {
  const changes = cometbftChanges({ rpcPort: 1, p2pPort: 2, peers: ['a@127.0.0.1:3', 'b@127.0.0.1:4'] })
  assert.equal(changes['rpc']?.['laddr'], '"tcp://127.0.0.1:1"')
  assert.equal(changes['p2p']?.['laddr'], '"tcp://127.0.0.1:2"')
  assert.equal(changes['p2p']?.['persistent_peers'], '"a@127.0.0.1:3,b@127.0.0.1:4"')
  assert.deepEqual(changes['consensus'], {
    timeout_commit: '"0s"',
    create_empty_blocks: 'false',
    peer_gossip_sleep_duration: '"5ms"',
  })
  assert.deepEqual(changes['mempool'], { recheck: 'false' })
  assert.deepEqual(changes['tx_index'], { indexer: '"null"' })
})
