import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressBook } from '../../../src/network/address-book.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { aChain } from './signed-frames.ts'

const chain = aChain({ count: 7 })
const ids = chain.genesis.validators.map(({ peerId }) => peerId).sort()
const [a, b, self, c, stranger, ...moreStrangers] = ids as [PeerId, PeerId, PeerId, PeerId, PeerId, PeerId]
const nobody: ReadonlySet<PeerId> = new Set()
const address = (port: number) => `/ip4/10.0.0.1/tcp/${port}`

function aBook({ wantedPeers = 2, validators = [a, b, self, c] } = {}) {
  const clock = { ms: 0 }
  const book = new AddressBook({
    self,
    validators,
    redialMinMs: 300,
    redialMaxMs: 10_000,
    wantedPeers,
    now: () => clock.ms,
    random: () => 1,
  })
  const duePeers = (connected = nobody) => book.takeDue(connected).map(({ peer }) => peer)
  return { book, clock, duePeers }
}

test('dials a validator as soon as an address of it is known, once at a time', () => {
  const { book, duePeers } = aBook()
  assert.deepEqual(duePeers(), [])
  book.learn(c, [address(1)], 'hearsay')
  assert.deepEqual(duePeers(), [c])
  assert.deepEqual(duePeers(), [], 'it is being dialled')
})

test('lets the validator with the smaller id dial first', () => {
  const { book, clock, duePeers } = aBook()
  book.learn(a, [address(1)], 'hearsay')
  assert.deepEqual(duePeers(), [])
  clock.ms = 700
  assert.deepEqual(duePeers(), [a])
})

test('redials a validator for ever, with pauses from 0.3 s that double up to 10 s', () => {
  const { book, clock, duePeers } = aBook()
  book.learn(c, [address(1)], 'hearsay')
  const pauses: number[] = []
  let failedAt = 0
  for (let attempt = 0; attempt < 60; attempt++) {
    while (duePeers().length === 0) clock.ms += 10
    if (attempt > 0) pauses.push(clock.ms - failedAt)
    failedAt = clock.ms
    book.dialled(c, 'failed')
  }
  assert.deepEqual(pauses.slice(0, 7), [300, 600, 1_200, 2_400, 4_800, 9_600, 10_000])
  assert.equal(pauses.at(-1), 10_000)
})

test('dials soon again when a connection is lost', () => {
  const { book, clock, duePeers } = aBook()
  book.learn(c, [address(1)], 'hearsay')
  duePeers()
  book.dialled(c, { peer: c, address: address(1) })
  assert.deepEqual(duePeers(new Set([c])), [])
  book.lost(c)
  assert.deepEqual(duePeers(), [])
  clock.ms += 300
  assert.deepEqual(duePeers(), [c])
})

test('leaves a peer alone that was cut off', () => {
  const { book, clock, duePeers } = aBook()
  book.learn(c, [address(1)], 'itself')
  book.rest(c, 5_000)
  clock.ms = 4_999
  assert.deepEqual(duePeers(), [])
  clock.ms = 5_000
  assert.deepEqual(duePeers(), [c])
})

test('dials strangers only while peers are wanted, and forgets those that never answer', () => {
  const { book, clock, duePeers } = aBook({ wantedPeers: 1 })
  book.learn(stranger, [address(1)], 'hearsay')
  assert.deepEqual(duePeers(new Set([a])), [])
  for (let attempt = 0; attempt < 8; attempt++) {
    clock.ms += 10_000
    assert.deepEqual(duePeers(), [stranger])
    book.dialled(stranger, 'failed')
  }
  clock.ms += 10_000
  assert.deepEqual(duePeers(), [])
  assert.deepEqual(book.known(), [])
})

test('dials a bootstrap address without an id, for ever, and learns who is there', () => {
  const { book, clock, duePeers } = aBook()
  book.addBootstrap({ address: address(1) })
  for (let attempt = 0; attempt < 20; attempt++) {
    clock.ms += 10_000
    const [target] = book.takeDue(nobody)
    assert.deepEqual(target?.addresses, [address(1)])
    book.dialled(address(1), 'failed')
  }
  clock.ms += 10_000
  book.takeDue(nobody)
  book.dialled(address(1), { peer: stranger, address: address(1) })
  assert.deepEqual(book.known(), [{ peer: stranger, addresses: [address(1)] }])
  assert.deepEqual(duePeers(new Set([stranger])), [])
  book.lost(stranger)
  clock.ms += 10_000
  assert.deepEqual(duePeers(new Set([a, b])), [stranger], 'permanent though no more peers are wanted')
})

test('keeps sure addresses whatever others claim, and few of either', () => {
  const { book } = aBook()
  book.learn(c, [address(1)], 'itself')
  for (let port = 100; port < 150; port++) book.learn(c, [address(port)], 'hearsay')
  assert.equal(book.addressesOf(c).length, 5)
  assert.equal(book.addressesOf(c)[0], address(1))
  assert.deepEqual(book.sure(), [{ peer: c, addresses: [address(1)] }])
})

test('takes no address of oneself, of another peer, or that nobody can dial', () => {
  const { book } = aBook()
  const refused = [
    `${address(1)}/p2p/${a}`,
    '/ip4/0.0.0.0/tcp/1',
    '/ip4/10.0.0.1/udp/1/quic-v1',
    '/ip4/10.0.0.1/tcp/0',
    '/ip4/10.0.0.1/tcp/1/ws',
    '/unix/tmp/x',
    'nonsense',
    `/dns4/${'x'.repeat(300)}/tcp/1`,
  ]
  assert.equal(book.learn(c, refused, 'itself'), false)
  assert.equal(book.learn(self, [address(1)], 'itself'), false)
  assert.equal(book.learn(c, ['/dns4/seed.example/tcp/9080'], 'itself'), true)
  assert.equal(book.learn(c, ['/dns4/seed.example/tcp/9080'], 'itself'), false, 'nothing new')
})

test('never grows beyond its bound, and keeps validators and bootstrap peers in it', () => {
  const { book } = aBook()
  book.learn(c, [address(1)], 'hearsay')
  book.addBootstrap({ address: address(2), peer: stranger })
  const many = aChain({ count: 120 }).genesis.validators.map(({ peerId }) => peerId)
  const suffixed = many.flatMap((id) =>
    Array.from({ length: 10 }, (_, index) => `${id.slice(0, -1)}${'123456789A'[index]}` as PeerId),
  )
  for (const id of suffixed) book.learn(id, [address(3)], 'hearsay')
  assert.equal(book.known().length, 1_000)
  assert.ok([c, stranger].every((id) => book.known().some(({ peer }) => peer === id)))
})

test('tells validators first', () => {
  const { book } = aBook()
  for (const peer of [stranger, ...moreStrangers, c]) book.learn(peer, [address(1)], 'itself')
  assert.equal(book.known()[0]?.peer, c)
})
