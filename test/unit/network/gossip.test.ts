import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type GossipSub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection } from '@libp2p/interface'
import type { Admission } from '../../../src/network/admission.ts'
import { Counters } from '../../../src/network/counters.ts'
import { Gossip } from '../../../src/network/gossip.ts'
import type { PeerId } from '../../../src/types/index.ts'

const MiB = 1024 * 1024

/** Gossip with peers of which each has left so much unread. */
function aGossip(unread: Record<string, number>) {
  const published: number[] = []
  const pubsub = {
    publish: async (_: string, { length }: Uint8Array) => {
      published.push(length)
      return { recipients: [] }
    },
  }
  const connections = Object.entries(unread).map(([peer, writeBufferLength]) => ({
    remotePeer: { toString: () => peer },
    streams: [{ protocol: '/meshsub/1.2.0', direction: 'outbound', writeBufferLength }],
  }))
  const gossip = new Gossip({
    chainId: 'test',
    pubsub: pubsub as unknown as GossipSub,
    admission: {} as Admission,
    counters: new Counters(),
    connections: () => connections as unknown as Connection[],
    isValidator: (peer: PeerId) => peer.startsWith('validator'),
    isCovered: () => false,
  })
  return { gossip, published }
}

async function publishedOf(unread: Record<string, number>): Promise<number> {
  const { gossip, published } = aGossip(unread)
  for (let number = 0; number < 3; number++) gossip.publish('messages', new Uint8Array(300 * 1024))
  await pause(30)
  gossip.stop()
  return published.length
}

test('strangers that read nothing do not silence gossip while validators read', async () => {
  const strangers = { a: 5 * MiB, b: 5 * MiB, c: 5 * MiB, d: 5 * MiB, e: 5 * MiB }
  assert.equal(await publishedOf({ ...strangers, validator1: 0, validator2: 0, validator3: 0 }), 3)
})

test('while most validators are behind, nothing more is published', async () => {
  assert.equal(await publishedOf({ a: 0, b: 0, c: 0, validator1: 5 * MiB, validator2: 5 * MiB }), 1)
})

test('a node that knows strangers only waits for most of them', async () => {
  assert.equal(await publishedOf({ a: 5 * MiB, b: 5 * MiB, c: 0 }), 1)
  assert.equal(await publishedOf({ a: 5 * MiB, b: 0, c: 0 }), 3)
})

type TopicValidator = (
  from: { toString(): string },
  message: { data: Uint8Array },
) => TopicValidatorResult | Promise<TopicValidatorResult>

/** What gossipsub is told of a message of so many bytes: at once, or a promise. */
function verdictOn(sizeBytes: number, { isCovered, verdict }: { isCovered: boolean; verdict: string }) {
  const topicValidators = new Map<string, TopicValidator>()
  const gossip = new Gossip({
    chainId: 'test',
    pubsub: { topicValidators, subscribe: () => undefined } as unknown as GossipSub,
    admission: { admitMessage: () => verdict } as unknown as Admission,
    counters: new Counters(),
    connections: () => [],
    isValidator: () => true,
    isCovered: () => isCovered,
  })
  gossip.start()
  const ask = topicValidators.get('diseq/test/messages') ?? assert.fail('the topic has a validator')
  return ask({ toString: () => 'peer' }, { data: new Uint8Array(sizeBytes) })
}

test('a large message waits to be forwarded where its author reaches everybody', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const waiting = verdictOn(512, { isCovered: true, verdict: 'accept' })
    assert(waiting instanceof Promise)
    let result: unknown
    waiting.then((given) => (result = given))
    mock.timers.tick(149)
    await Promise.resolve()
    assert.equal(result, undefined)
    mock.timers.tick(1)
    assert.equal(await waiting, TopicValidatorResult.Accept)
  } finally {
    mock.timers.reset()
  }
})

test('a small message, one that depends on forwarders and one that is not forwarded do not wait', () => {
  const accept = TopicValidatorResult.Accept
  assert.equal(verdictOn(511, { isCovered: true, verdict: 'accept' }), accept)
  assert.equal(verdictOn(100_000, { isCovered: false, verdict: 'accept' }), accept)
  assert.equal(verdictOn(100_000, { isCovered: true, verdict: 'reject' }), TopicValidatorResult.Reject)
  assert.equal(verdictOn(100_000, { isCovered: true, verdict: 'ignore' }), TopicValidatorResult.Ignore)
})
