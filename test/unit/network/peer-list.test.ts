import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePeerList, encodePeerList, isLoopback, parseAddress } from '../../../src/network/peer-list.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { aChain } from './signed-frames.ts'

const peers = aChain({ count: 70 }).genesis.validators.map(({ peerId }) => peerId)
const [peer] = peers as [PeerId]

test('a list of peers comes back as it was, within its bounds', () => {
  const addresses = [1, 2, 3, 4].map((port) => `/ip4/10.0.0.1/tcp/${port}`)
  const listed = peers.slice(0, 64).map((peer) => ({ peer, addresses }))
  const decoded = decodePeerList(encodePeerList(listed))
  assert.deepEqual(decoded, { ok: true, value: listed })
})

test('more peers and addresses than a list holds are left out', () => {
  const addresses = Array.from({ length: 9 }, (_, index) => `/ip4/10.0.0.1/tcp/${index + 1}`)
  const decoded = decodePeerList(encodePeerList(peers.map((peer) => ({ peer, addresses }))))
  assert.ok(decoded.ok)
  assert.equal(decoded.value.length, 64)
  assert.equal(decoded.value[0]?.addresses.length, 4)
})

test('what is no peer id or no usable address in a list is left out', () => {
  const listed = [
    { peer: 'nobody at all' as PeerId, addresses: ['/ip4/10.0.0.1/tcp/1'] },
    { peer, addresses: ['/ip4/0.0.0.0/tcp/1', 'x', '/ip4/10.0.0.1/tcp/1'] },
  ]
  const decoded = decodePeerList(encodePeerList(listed))
  assert.deepEqual(decoded, { ok: true, value: [{ peer, addresses: ['/ip4/10.0.0.1/tcp/1'] }] })
})

test('a list cut short or with bytes behind it is none', () => {
  const bytes = encodePeerList([{ peer, addresses: ['/ip4/10.0.0.1/tcp/1'] }])
  for (let size = 0; size < bytes.length; size++) assert.ok(!decodePeerList(bytes.subarray(0, size)).ok)
  assert.ok(!decodePeerList(Uint8Array.of(...bytes, 0)).ok)
  assert.ok(!decodePeerList(Uint8Array.of(255, 255)).ok)
})

test('an address is a host and a TCP port, with or without a peer id', () => {
  assert.deepEqual(parseAddress('/ip4/10.0.0.1/tcp/9080'), { address: '/ip4/10.0.0.1/tcp/9080' })
  assert.deepEqual(parseAddress(`/dns4/a.example/tcp/1/p2p/${peer}`), {
    address: '/dns4/a.example/tcp/1',
    peer,
  })
  assert.deepEqual(parseAddress('/ip6/::1/tcp/65535'), { address: '/ip6/::1/tcp/65535' })
  for (const text of ['', '/', '/ip4/10.0.0.1', '/tcp/1', '/ip4/10.0.0.1/tcp/65536', '/ip6/ff02::1/tcp/1'])
    assert.equal(parseAddress(text), undefined, text)
})

test('addresses of the machine itself are told apart', () => {
  for (const near of [
    '/ip4/127.0.0.1/tcp/1',
    '/ip4/127.9.9.9/tcp/1',
    '/ip6/::1/tcp/1',
    '/dns4/localhost/tcp/1',
  ])
    assert.ok(isLoopback(near), near)
  for (const far of ['/ip4/10.0.0.1/tcp/1', '/ip6/2001:db8::1/tcp/1', '/dns4/a.example/tcp/1'])
    assert.ok(!isLoopback(far), far)
})
