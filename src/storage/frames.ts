// Frames of the heights under way: what a node has to show or to go by until a height is final. An index of their keys
// is held in memory, so that finalising a height deletes them without a search through what was deleted before.
import { createHash } from 'node:crypto'
import { decodeFrame, encodeFrame, type Frame, type FrameContext } from '../codec/index.ts'
import type { Height } from '../types/index.ts'
import { corrupted } from './errors.ts'
import type { WriteOperation } from './key-value.ts'
import { type FramePlace, frameKey, heightOfFrameKey } from './keys.ts'
import { putSealed, unseal } from './sealed.ts'

/** What is kept by height. Batches are in the pool, and evidence has a place of its own. */
export type HeightFrame = Exclude<Frame, { readonly kind: 'batch' } | { readonly kind: 'evidence' }>

/** Byte `kind` of a frame's key: the order in which frames of a height are loaded again. */
const frameKinds = {
  block: 1,
  'pool-commitment': 2,
  notarization: 3,
  nullification: 4,
  finalization: 5,
  proposal: 6,
  notarize: 7,
  nullify: 8,
  finalize: 9,
} as const

const noSubject = '00'.repeat(32)

/** Where a frame is kept. Equal places hold the same thing, up to which signatures a certificate gathered; two things
 *  that contradict each other have two places, so that neither a block voted for nor a proof of the lie is lost. */
export function placeOf(frame: HeightFrame): FramePlace {
  switch (frame.kind) {
    case 'block': {
      const { id, header } = frame.block
      return { height: header.height, kind: frameKinds.block, view: 0, validator: 0, subject: id }
    }
    case 'pool-commitment': {
      const { height, validator, bytes } = frame.commitment
      const subject = createHash('sha256').update(bytes).digest('hex')
      return { height, kind: frameKinds['pool-commitment'], view: 0, validator, subject }
    }
    case 'proposal': {
      const { height, view, leader, blockId } = frame.proposal
      return { height, kind: frameKinds.proposal, view, validator: leader, subject: blockId }
    }
    case 'vote': {
      const { vote } = frame
      const subject = vote.kind === 'nullify' ? noSubject : vote.blockId
      const { height, view, validator } = vote
      return { height, kind: frameKinds[vote.kind], view, validator, subject }
    }
    case 'certificate': {
      const { certificate } = frame
      const subject = certificate.kind === 'nullification' ? noSubject : certificate.blockId
      const { height, view } = certificate
      return { height, kind: frameKinds[certificate.kind], view, validator: 0, subject }
    }
  }
}

/** The operation that stores a frame. */
export function putFrame(frame: HeightFrame): WriteOperation {
  return putSealed(frameKey(placeOf(frame)), encodeFrame(frame))
}

/** The frame in a stored value. @throws StorageError `corrupted`. */
export function openFrame(key: Uint8Array, sealed: Uint8Array, context: FrameContext): HeightFrame {
  const decoded = decodeFrame(unseal('frame', key, sealed), context)
  if (!decoded.ok) throw corrupted('frame', decoded.reason)
  const frame = decoded.value
  if (frame.kind === 'batch' || frame.kind === 'evidence')
    throw corrupted('frame', `it is of kind ${frame.kind}`)
  return frame
}

/** The keys of all frames in the store, by height. As large as what is under way, which the callers bound. */
export class FrameIndex {
  readonly #keys = new Map<Height, Map<string, Uint8Array>>()

  /** @param key of `frameKey`. */
  add(key: Uint8Array): void {
    const height = heightOfFrameKey(key)
    const keys = this.#keys.get(height) ?? new Map<string, Uint8Array>()
    keys.set(Buffer.from(key).toString('latin1'), key)
    this.#keys.set(height, keys)
  }

  /** The keys of frames of `height` and below. */
  upTo(height: Height): Uint8Array[] {
    const found: Uint8Array[] = []
    for (const [at, keys] of this.#keys) if (at <= height) found.push(...keys.values())
    return found
  }

  /** Forgets keys that `upTo` gave, once they are deleted. */
  remove(deleted: readonly Uint8Array[]): void {
    for (const key of deleted) {
      const height = heightOfFrameKey(key)
      const keys = this.#keys.get(height)
      keys?.delete(Buffer.from(key).toString('latin1'))
      if (keys?.size === 0) this.#keys.delete(height)
    }
  }
}
