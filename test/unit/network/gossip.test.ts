import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { GossipSub } from '@libp2p/gossipsub'
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
