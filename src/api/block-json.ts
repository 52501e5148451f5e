// A block as `/v1` shows it.
import { bytesToHex } from '../codec/index.ts'
import { messageToJson } from './message-input.ts'
import type { BlockView } from './ports.ts'

/** The JSON text of a block: `Block` of the schemas. */
export function blockText(view: BlockView): string {
  return JSON.stringify(view.kind === 'genesis' ? genesisToJson(view) : blockToJson(view))
}

export function idOfBlock(view: BlockView): string {
  return view.kind === 'genesis' ? view.id : view.block.id
}

/** Bytes of message data in a block: what its JSON mostly consists of. */
export function dataBytesOf(view: BlockView): number {
  if (view.kind === 'genesis') return 0
  return view.messages.reduce((total, { message }) => total + message.data.length, 0)
}

function genesisToJson({ id, time }: BlockView & { kind: 'genesis' }): object {
  const nothing = { header: null, headerBytes: null, signature: null }
  return { height: 0, id, time, ...nothing, messages: [], commitments: [], finalization: null }
}

function blockToJson({ block, messages, finalization }: BlockView & { kind: 'final' }): object {
  const { id, header, headerBytes, signature, commitments } = block
  return {
    height: header.height,
    id,
    time: header.time,
    header: { ...header, vrfProof: bytesToHex(header.vrfProof) },
    headerBytes: Buffer.from(headerBytes).toString('base64'),
    signature: bytesToHex(signature),
    messages: messages.map(({ id, message }, index) => ({ index, id, ...messageToJson(message) })),
    commitments: commitments.map(({ validator, time, entries, signature }) => ({
      validator,
      time,
      entryCount: entries.length,
      signature: bytesToHex(signature),
    })),
    finalization: {
      view: finalization.view,
      blockId: finalization.blockId,
      signatures: finalization.signatures.map(({ validator, signature }) => ({
        validator,
        signature: bytesToHex(signature),
      })),
    },
  }
}
