// Bodies of the request-response protocols (protocol §4): status, view, batches, blocks.
import type { BatchId, BlockId, Hash, Height, ValidatorIndex, View } from '../types/index.ts'
import { hashBytes, maxGossipFrameBytes, maxValidators } from './limits.ts'
import { type ByteReader, type Decoded, DecodeError, decodeAll } from './reader.ts'
import { ByteWriter } from './writer.ts'

/** Views that one summary of a height describes; older ones are settled by their certificates. */
export const maxHoldingViews = 32
/** Batch ids in one request. */
export const maxRequestedBatches = 1024
/** Frames in one request or reply of `view` and `batches`. */
export const maxFramesPerReply = 4096
/** Blocks that one request may ask for. */
export const maxRequestedBlocks = 256

/** What a node holds of one view. */
export interface ViewHolding {
  readonly view: View
  readonly hasProposal: boolean
  readonly hasNotarization: boolean
  readonly hasNullification: boolean
  readonly notarizes: readonly ValidatorIndex[]
  readonly nullifies: readonly ValidatorIndex[]
  readonly finalizes: readonly ValidatorIndex[]
}

/** What a node holds of the height it works on: the reply to it is what it lacks. */
export interface Holding {
  readonly height: Height
  readonly view: View
  readonly commitments: readonly ValidatorIndex[]
  readonly views: readonly ViewHolding[]
}

export interface PeerStatus {
  readonly genesisHash: Hash
  readonly finalHeight: Height
  readonly finalBlockId: BlockId
  readonly holding: Holding
}

export interface ViewRequest {
  readonly holding: Holding
  /** A block wanted by id, where only its id is known. */
  readonly wantedBlock?: BlockId
  /** Encoded frames that the sender pushes: its own votes and its commitment. */
  readonly pushed: readonly Uint8Array[]
}

export interface BatchesRequest {
  readonly wanted: readonly BatchId[]
  /** Encoded batch frames handed over. */
  readonly pushed: readonly Uint8Array[]
}

export interface BlocksRequest {
  readonly from: Height
  readonly count: number
}

export function encodeStatus(status: PeerStatus): Uint8Array {
  const writer = new ByteWriter(512).hex(status.genesisHash, hashBytes).u64(status.finalHeight)
  writer.hex(status.finalBlockId, hashBytes)
  writeHolding(writer, status.holding)
  return writer.finish()
}

export function decodeStatus(bytes: Uint8Array): Decoded<PeerStatus> {
  return decodeAll(bytes, (reader) => ({
    genesisHash: reader.hex<Hash>(hashBytes),
    finalHeight: reader.u64(),
    finalBlockId: reader.hex<BlockId>(hashBytes),
    holding: readHolding(reader),
  }))
}

export function encodeViewRequest(request: ViewRequest): Uint8Array {
  const writer = new ByteWriter(1024)
  writeHolding(writer, request.holding)
  if (request.wantedBlock === undefined) writer.u8(0)
  else writer.u8(1).hex(request.wantedBlock, hashBytes)
  writeFrames(writer, request.pushed)
  return writer.finish()
}

export function decodeViewRequest(bytes: Uint8Array): Decoded<ViewRequest> {
  return decodeAll(bytes, (reader) => {
    const holding = readHolding(reader)
    const wanted = readFlag(reader) ? { wantedBlock: reader.hex<BlockId>(hashBytes) } : {}
    return { holding, ...wanted, pushed: readFrames(reader) }
  })
}

export function encodeBatchesRequest(request: BatchesRequest): Uint8Array {
  const writer = new ByteWriter(1024).u16(request.wanted.length)
  for (const id of request.wanted) writer.hex(id, hashBytes)
  writeFrames(writer, request.pushed)
  return writer.finish()
}

export function decodeBatchesRequest(bytes: Uint8Array): Decoded<BatchesRequest> {
  return decodeAll(bytes, (reader) => {
    const limits = { count: reader.u16(), maxCount: maxRequestedBatches, itemBytes: hashBytes }
    const wanted = reader.list(limits, () => reader.hex<BatchId>(hashBytes))
    return { wanted, pushed: readFrames(reader) }
  })
}

export function encodeBlocksRequest(request: BlocksRequest): Uint8Array {
  return new ByteWriter(16).u64(request.from).u16(request.count).finish()
}

export function decodeBlocksRequest(bytes: Uint8Array): Decoded<BlocksRequest> {
  return decodeAll(bytes, (reader) => {
    const request = { from: reader.u64(), count: reader.u16() }
    if (request.count < 1 || request.count > maxRequestedBlocks)
      throw new DecodeError('asks for no or too many blocks')
    return request
  })
}

/** Frames of one reply, in one body. */
export function encodeFrames(frames: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(4096)
  writeFrames(writer, frames)
  return writer.finish()
}

export function decodeFrames(bytes: Uint8Array): Decoded<Uint8Array[]> {
  return decodeAll(bytes, readFrames)
}

function writeHolding(writer: ByteWriter, holding: Holding): void {
  writer.u64(holding.height).u32(holding.view)
  writeIndexes(writer, holding.commitments)
  writer.u8(holding.views.length)
  for (const view of holding.views) {
    const flags =
      (view.hasProposal ? 1 : 0) | (view.hasNotarization ? 2 : 0) | (view.hasNullification ? 4 : 0)
    writer.u32(view.view).u8(flags)
    writeIndexes(writer, view.notarizes)
    writeIndexes(writer, view.nullifies)
    writeIndexes(writer, view.finalizes)
  }
}

function readHolding(reader: ByteReader): Holding {
  const base = { height: reader.u64(), view: reader.u32(), commitments: readIndexes(reader) }
  const limits = { count: reader.u8(), maxCount: maxHoldingViews, itemBytes: 11 }
  const views = reader.list(limits, () => {
    const view = reader.u32()
    const flags = reader.u8()
    if (flags > 7) throw new DecodeError('unknown flags')
    const has = {
      hasProposal: (flags & 1) !== 0,
      hasNotarization: (flags & 2) !== 0,
      hasNullification: (flags & 4) !== 0,
    }
    const votes = {
      notarizes: readIndexes(reader),
      nullifies: readIndexes(reader),
      finalizes: readIndexes(reader),
    }
    return { view, ...has, ...votes }
  })
  return { ...base, views }
}

/** Indexes as u16 each, strictly ascending. */
function writeIndexes(writer: ByteWriter, indexes: readonly ValidatorIndex[]): void {
  writer.u16(indexes.length)
  for (const index of indexes) writer.u16(index)
}

function readIndexes(reader: ByteReader): ValidatorIndex[] {
  let previous = -1
  return reader.list({ count: reader.u16(), maxCount: maxValidators, itemBytes: 2 }, () => {
    const index = reader.u16()
    if (index <= previous) throw new DecodeError('indexes are not strictly ascending')
    previous = index
    return index
  })
}

function writeFrames(writer: ByteWriter, frames: readonly Uint8Array[]): void {
  writer.u32(frames.length)
  for (const frame of frames) writer.bytes(frame)
}

function readFrames(reader: ByteReader): Uint8Array[] {
  const limits = { count: reader.u32(), maxCount: maxFramesPerReply, itemBytes: 4 }
  return reader.list(limits, () => reader.bytes(maxGossipFrameBytes))
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8()
  if (flag > 1) throw new DecodeError('neither yes nor no')
  return flag === 1
}
