// What a node does with its own keys: it signs batches and receipts as a node, votes and draws randomness as a validator.
// The seeds stay here and in what is made here; the rest of the node gets functions.
import { createSigner, createVrfProver, publicKeyOf, signingInput } from '../crypto/native/index.ts'
import { type ChainStore, checkAgainstDatabase, type RecordFile, SigningRecord } from '../storage/index.ts'
import type { SignedKind } from '../types/index.ts'
import type { NodeIdentity } from './home.ts'
import type { Keys, Log } from './ports.ts'
import type { ReceiptSigner } from './proof-maker.ts'
import { Signing } from './signing.ts'

/** What a replica uses them for. */
export function keysOf({ genesis, keys, validatorIndex }: NodeIdentity): Keys {
  const nodeSigner = createSigner(keys.nodeSeed)
  const prover = createVrfProver(keys.vrfSeed)
  return {
    validator: validatorIndex,
    nodeKey: nodeSigner.publicKey,
    signBatch: (bytes) => nodeSigner.sign(signingInput({ kind: 'batch', genesisHash: genesis.hash, bytes })),
    proveVrf: (alpha) => prover.prove(alpha),
  }
}

/** Signs receipts as the node, whether it is a validator's or not. */
export function receiptSignerOf({ genesis, keys }: NodeIdentity): ReceiptSigner {
  const signer = createSigner(keys.nodeSeed)
  const sign = (bytes: Uint8Array) =>
    signer.sign(signingInput({ kind: 'receipt', genesisHash: genesis.hash, bytes }))
  return { node: signer.publicKey, sign }
}

/** The right to sign, for a validator whose record is at least as new as its database; else it follows and says why. */
export async function openSigning(options: {
  identity: NodeIdentity
  path: string
  file: RecordFile
  store: ChainStore
  log: Log
}): Promise<Signing | undefined> {
  const { identity, path, file, store, log } = options
  const { genesis, keys, validatorIndex } = identity
  if (validatorIndex === undefined) return undefined
  const signer = createSigner(keys.votingSeed)
  const sign = (kind: SignedKind, bytes: Uint8Array) =>
    signer.sign(signingInput({ kind, genesisHash: genesis.hash, bytes }))
  const votingKey = publicKeyOf(keys.votingSeed)
  const record = await SigningRecord.open({
    file,
    genesisHash: genesis.hash,
    votingKey,
    sign,
  })
  const problem = checkAgainstDatabase({
    recordNumber: record.isMissing ? undefined : record.number,
    databaseNumber: store.signingNumber,
  })
  if (problem !== undefined) {
    log.error({ code: problem.code, path }, problem.reason)
    return undefined
  }
  if (record.imported) {
    log.warn(
      { path },
      'the signing record was imported or started over: nothing is signed until others of a quorum’s power tell how far they are',
    )
  }
  return new Signing({ record, validator: validatorIndex, log })
}
