// A node's secret keys as files of its home: three 32-byte seeds in hex, each a file that only its owner may read.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { peerIdOf } from '../codec/index.ts'
import { fromHex, publicKeyOf, toHex, vrfPublicKeyOf, vrfSeedFromVotingSeed } from '../crypto/native/index.ts'
import type { PeerId, PublicKey, VrfPublicKey } from '../types/index.ts'
import { HomeError } from './home-error.ts'
import { homePaths } from './home-paths.ts'

/** Secrets of 32 bytes each. */
export interface NodeKeys {
  /** Signs votes, pool commitments and proposals. */
  readonly votingSeed: Uint8Array
  /** Draws this node's randomness as a leader; follows from the voting seed unless it has a file of its own. */
  readonly vrfSeed: Uint8Array
  /** The libp2p identity; signs batches. */
  readonly nodeSeed: Uint8Array
}

export interface PublicKeys {
  readonly votingKey: PublicKey
  readonly vrfKey: VrfPublicKey
  readonly nodeKey: PublicKey
  readonly peerId: PeerId
}

/** New keys from the system's random source. */
export function randomKeys({ hasOwnVrfSecret = false } = {}): NodeKeys {
  const votingSeed = randomSeed()
  const vrfSeed = hasOwnVrfSecret ? randomSeed() : vrfSeedFromVotingSeed(votingSeed)
  return { votingSeed, vrfSeed, nodeSeed: randomSeed() }
}

export function publicKeysOf({ votingSeed, vrfSeed, nodeSeed }: NodeKeys): PublicKeys {
  const nodeKey = publicKeyOf(nodeSeed)
  return {
    votingKey: publicKeyOf(votingSeed),
    vrfKey: vrfPublicKeyOf(vrfSeed),
    nodeKey,
    peerId: peerIdOf(nodeKey),
  }
}

export function hasKeys(home: string): boolean {
  const paths = homePaths(home)
  return existsSync(paths.votingSeed) || existsSync(paths.nodeSeed)
}

/** Writes keys that are not there yet; synced before it returns, since a lost key is a lost validator.
 *  @throws HomeError 'exists' rather than overwrite any. */
export function writeKeys(home: string, keys: NodeKeys): void {
  const paths = homePaths(home)
  if (hasKeys(home)) {
    throw new HomeError(
      'exists',
      `${paths.keys}: there are keys already, which are never overwritten; use another home`,
    )
  }
  mkdirSync(paths.keys, { recursive: true, mode: 0o700 })
  if (toHex(keys.vrfSeed) !== toHex(vrfSeedFromVotingSeed(keys.votingSeed)))
    writeSeed(paths.vrfSeed, keys.vrfSeed)
  writeSeed(paths.nodeSeed, keys.nodeSeed)
  // Last: a home with a voting seed is complete.
  writeSeed(paths.votingSeed, keys.votingSeed)
}

/** The keys of a home. @throws HomeError 'missing' or 'wrong-keys', naming the file. */
export function readKeys(home: string): NodeKeys {
  const paths = homePaths(home)
  const votingSeed = readSeed(paths.votingSeed)
  const vrfSeed = existsSync(paths.vrfSeed) ? readSeed(paths.vrfSeed) : vrfSeedFromVotingSeed(votingSeed)
  return { votingSeed, vrfSeed, nodeSeed: readSeed(paths.nodeSeed) }
}

/** Files of secrets that others on this machine may read; a node warns of them and goes on, because mounted secrets
 *  of containers often cannot be otherwise. */
export function exposedKeyFiles(home: string): string[] {
  if (process.platform === 'win32') return []
  const { votingSeed, vrfSeed, nodeSeed } = homePaths(home)
  return [votingSeed, vrfSeed, nodeSeed].filter(
    (path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0,
  )
}

function randomSeed(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

function writeSeed(path: string, seed: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, `${toHex(seed)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function readSeed(path: string): Uint8Array {
  if (!existsSync(path)) {
    throw new HomeError('missing', `${path}: there is no such key; make keys with "diseq keys --home DIR"`)
  }
  const text = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new HomeError(
      'wrong-keys',
      `${path}: 64 lower-case hex digits are needed; restore it from your copy`,
    )
  }
  return fromHex(text)
}
