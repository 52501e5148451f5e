// Where things are in the home of a node.
import { join } from 'node:path'

export interface HomePaths {
  readonly config: string
  readonly genesis: string
  readonly keys: string
  readonly votingSeed: string
  readonly nodeSeed: string
  /** There only for a validator whose VRF key has a secret of its own. */
  readonly vrfSeed: string
  /** LevelDB: the chain, the pool, the trie. */
  readonly database: string
  /** What this node signed; apart from the database, so that restoring one never takes the other back in time. */
  readonly signingRecord: string
  /** What `devnet` writes of the node's log. */
  readonly log: string
  /** The id of the process that runs the node. */
  readonly processId: string
  /** The node's memory, written on request; it holds the keys. */
  readonly heap: string
}

export function homePaths(home: string): HomePaths {
  const keys = join(home, 'keys')
  return {
    config: join(home, 'config.yaml'),
    genesis: join(home, 'genesis.json'),
    keys,
    votingSeed: join(keys, 'voting.seed'),
    nodeSeed: join(keys, 'node.seed'),
    vrfSeed: join(keys, 'vrf.seed'),
    database: join(home, 'database'),
    signingRecord: join(home, 'signing-record'),
    log: join(home, 'node.log'),
    processId: join(home, 'node.pid'),
    heap: join(home, 'node.heapsnapshot'),
  }
}
