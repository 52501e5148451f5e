// Two of libp2p's nodes as ours are built, connected over loopback.
import assert from 'node:assert/strict'
import { createNode, type Libp2pNode } from '../../../src/network/libp2p.ts'

/** Connects two nodes, and stops them when `use` is done with them. */
export async function withTwoNodes(
  use: (connected: { readonly here: Libp2pNode; readonly there: Libp2pNode }) => Promise<void>,
): Promise<void> {
  const nodes = await Promise.all(
    [1, 2].map((seed) =>
      createNode({
        identitySeed: new Uint8Array(32).fill(seed),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        announce: [],
        maxConnections: 10,
        pingIntervalMs: 60_000,
        gossip: {},
        gater: {},
      }),
    ),
  )
  const [here, there] = nodes
  assert.ok(here !== undefined && there !== undefined)
  try {
    await Promise.all(nodes.map((node) => node.start()))
    await here.dial(there.getMultiaddrs())
    await use({ here, there })
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
  }
}
