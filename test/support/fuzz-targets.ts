// What strangers can hand to a node or to a client, and what has to hold for any bytes: an answer, never an exception; and
// what is taken is the one encoding of what it says. The inputs to begin with are real: frames, blocks and requests of a
// simulated run with the real signatures, and the proofs of test/vectors.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  commitmentEntriesMax,
  type Decoded,
  decodeBatchesRequest,
  decodeBlocksRequest,
  decodeFinalBlock,
  decodeFrame,
  decodeFrames,
  decodeMessage,
  decodeStatus,
  decodeViewRequest,
  encodeBatchesRequest,
  encodeBlocksRequest,
  encodeFinalBlock,
  encodeFrame,
  encodeFrames,
  encodeMessage,
  encodeStatus,
  encodeViewRequest,
  encodeVoteBody,
  type FinalBlock,
  type Frame,
  type FrameContext,
  frameKindOf,
  genesisToJson,
  messageCountOf,
  type PeerStatus,
  parseGenesis,
} from '../../src/codec/index.ts'
import { isValidPublicKey, isValidVrfKey, sha256, verifySignature } from '../../src/crypto/native/index.ts'
import { decodeBundle, encodeBundle } from '../../src/network/bundles.ts'
import { decodePeerList, encodePeerList, parseAddress } from '../../src/network/peer-list.ts'
import { RecordParser } from '../../src/network/streams.ts'
import { trustGenesis, verifyProof } from '../../src/proofs/index.ts'
import { thresholdsOf } from '../../src/quorum/index.ts'
import { run, scenarioOf } from '../../src/simulation/index.ts'
import { genesisOf, peerIdOfNode } from '../../src/simulation/network-of.ts'
import { realSchemes } from '../../src/simulation/schemes.ts'
import { SharedVerifier } from '../../src/simulation/verifier.ts'
import { parseAbsenceProofJson, parseProofJson } from '../../src/trie/verify.ts'
import type { BlockId, Genesis } from '../../src/types/index.ts'
import type { FuzzTarget } from './fuzz.ts'

interface ProofVectors {
  readonly genesis: object
  readonly vectors: readonly { readonly proof: object }[]
}

const text = new TextEncoder()
const blocksMax = 12

export async function fuzzTargets(): Promise<readonly FuzzTarget[]> {
  // A seed that runs the real signatures.
  const scenario = scenarioOf({ seed: 10, validators: 4, faults: [] })
  assert.ok(scenario.hasRealCrypto)
  const finals: FinalBlock[] = []
  await run(scenario, {
    onFinal: (_, __, { height, final }) => {
      if (height === finals.length + 1 && finals.length < blocksMax) finals.push(final)
    },
  })
  const { genesis } = genesisOf(scenario)
  return [...wireTargets(genesis, finals), ...proofTargets(), genesisTarget(genesis)]
}

function wireTargets(genesis: Genesis, finals: readonly FinalBlock[]): FuzzTarget[] {
  const context: FrameContext = {
    limits: genesis.limits,
    entriesMax: commitmentEntriesMax(genesis.limits, genesis.validators.length),
    sha256,
  }
  const thresholds = thresholdsOf(
    genesis.validators.map(({ power }) => power),
    genesis.faultModel,
  )
  const frames = finals.flatMap(framesOf).map(encodeFrame)
  const statuses = finals.map((final) => statusOf(genesis, final))
  const peers = [0, 1, 2].map((number) => ({
    peer: peerIdOfNode(number),
    addresses: [`/ip4/192.0.2.${number + 1}/tcp/9080`, '/dns4/node.example/tcp/9080'],
  }))
  return [
    decoder('frame', frames, (bytes) => decodeFrame(bytes, context), encodeFrame),
    {
      name: 'frame, verified',
      corpus: frames,
      run: (bytes) => {
        // A verifier of its own each time: the memory of good signatures must not decide.
        const verified = new SharedVerifier({ genesis, thresholds, schemes: realSchemes }).verify(bytes)
        assert.equal(typeof verified.ok, 'boolean')
        frameKindOf(bytes)
        messageCountOf(bytes)
      },
    },
    decoder(
      'final block',
      finals.map(encodeFinalBlock),
      (bytes) => decodeFinalBlock(bytes, context),
      encodeFinalBlock,
    ),
    decoder(
      'message',
      finals.flatMap(({ batches }) => batches.flatMap(({ messages }) => messages.map(encodeMessage))),
      (bytes) => decodeMessage(bytes, genesis.limits),
      encodeMessage,
    ),
    decoder('status', statuses.map(encodeStatus), decodeStatus, encodeStatus),
    decoder(
      'view request',
      statuses.map(({ holding, finalBlockId }) =>
        encodeViewRequest({ holding, wantedBlock: finalBlockId, pushed: frames.slice(0, 3) }),
      ),
      decodeViewRequest,
      encodeViewRequest,
    ),
    decoder(
      'batches request',
      finals.map(({ batches }) =>
        encodeBatchesRequest({ wanted: batches.map(({ id }) => id), pushed: frames.slice(0, 2) }),
      ),
      decodeBatchesRequest,
      encodeBatchesRequest,
    ),
    decoder(
      'blocks request',
      [1, 7].map((from) => encodeBlocksRequest({ from, count: 20 })),
      decodeBlocksRequest,
      encodeBlocksRequest,
    ),
    decoder('frames of a reply', [encodeFrames(frames.slice(0, 6))], decodeFrames, encodeFrames),
    {
      name: 'bundle of gossip',
      corpus: [encodeBundle(frames.slice(0, 2)), encodeBundle(frames.slice(0, 20))],
      run: (bytes) => {
        const bundled = decodeBundle(bytes)
        if (bundled !== undefined) assert.deepEqual(encodeBundle(bundled), Uint8Array.from(bytes))
      },
    },
    {
      name: 'records of a stream',
      corpus: frames
        .slice(0, 20)
        .map((frame) => Uint8Array.of((frame.length & 0x7f) | 0x80, frame.length >> 7, ...frame)),
      run: (bytes) => {
        const parser = new RecordParser(4_096)
        try {
          for (let at = 0; at < bytes.length; at += 100) parser.feed(bytes.subarray(at, at + 100))
        } catch (error) {
          // What is too long ends the stream; nothing else may happen.
          assert.match(String(error), /long|length|varint/i)
        }
      },
    },
    {
      name: 'list of peers',
      corpus: [encodePeerList([]), encodePeerList(peers)],
      run: (bytes) => {
        const decoded = decodePeerList(bytes)
        if (!decoded.ok) return
        for (const { addresses } of decoded.value) for (const address of addresses) parseAddress(address)
      },
    },
  ]
}

function decoder<T>(
  name: string,
  corpus: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => Decoded<T>,
  encode: (value: T) => Uint8Array,
): FuzzTarget {
  for (const bytes of corpus) {
    const decoded = decode(bytes)
    assert.ok(decoded.ok, `${name}: an input to begin with is refused: ${decoded.ok ? '' : decoded.reason}`)
  }
  return {
    name,
    corpus,
    run: (bytes) => {
      const decoded = decode(bytes)
      if (!decoded.ok) assert.ok(decoded.reason.length > 0)
      else
        assert.deepEqual(Buffer.from(encode(decoded.value)), Buffer.from(bytes), 'a second encoding is taken')
    },
  }
}

function proofTargets(): FuzzTarget[] {
  const file = new URL('../vectors/proofs.json', import.meta.url)
  const { genesis, vectors } = JSON.parse(readFileSync(file, 'utf8')) as ProofVectors
  const trusted = trustGenesis(JSON.stringify(genesis), { verifySignature })
  assert.ok(trusted.ok)
  const trust = trusted.value
  const corpus = vectors.map(({ proof }) => text.encode(JSON.stringify(proof)))
  return [
    {
      name: 'proof',
      corpus,
      run: (bytes) => {
        const verdict = verifyProof({ trust, proof: textOf(bytes) })
        assert.equal(typeof verdict.ok, 'boolean')
      },
    },
    {
      name: 'proof of the trie',
      corpus,
      run: (bytes) => {
        parseProofJson(textOf(bytes))
        parseAbsenceProofJson(textOf(bytes))
      },
    },
  ]
}

function genesisTarget(genesis: Genesis): FuzzTarget {
  const keys = { isValidPublicKey, isValidVrfKey }
  return {
    name: 'genesis',
    corpus: [text.encode(genesisToJson(genesis))],
    run: (bytes) => {
      const parsed = parseGenesis(textOf(bytes), { sha256, keys })
      if (parsed.ok) assert.equal(parseGenesis(genesisToJson(parsed.value), { sha256, keys }).ok, true)
    },
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

/** What of a final block travels by itself. */
function framesOf({ block, finalization, batches }: FinalBlock): Frame[] {
  const { header, id: blockId, signature, commitments } = block
  const { height, view } = finalization
  const proposal = { height, view: header.view, blockId, leader: header.leader, signature, justification: [] }
  return [
    ...batches.map((batch): Frame => ({ kind: 'batch', batch })),
    ...commitments.map((commitment): Frame => ({ kind: 'pool-commitment', commitment })),
    ...finalization.signatures.map(
      ({ validator, signature: of }): Frame => ({
        kind: 'vote',
        vote: { kind: 'finalize', height, view, blockId, validator, signature: of },
      }),
    ),
    { kind: 'certificate', certificate: finalization },
    { kind: 'block', block },
    { kind: 'proposal', proposal: { ...proposal, block } },
    {
      kind: 'evidence',
      evidence: evidenceOf(block.header.leader, finalization.signatures[0]?.signature, blockId, height),
    },
  ]
}

/** Of its form; its second signature does not hold. */
function evidenceOf(
  validator: number,
  signature: Uint8Array = new Uint8Array(64),
  blockId: BlockId,
  height: number,
) {
  const payload = (id: BlockId) => ({
    kind: 'finalize' as const,
    bytes: encodeVoteBody({ kind: 'finalize', height, view: 0, blockId: id }),
    signature,
  })
  const [first, second] = [payload('00'.repeat(32) as BlockId), payload(blockId)]
  return { validator, height, first, second }
}

function statusOf(genesis: Genesis, { block, finalization }: FinalBlock): PeerStatus {
  const voters = finalization.signatures.map(({ validator }) => validator)
  const view = {
    view: 0,
    hasProposal: true,
    hasNotarization: true,
    hasNullification: false,
    notarizes: voters,
    nullifies: [],
    finalizes: voters,
  }
  return {
    genesisHash: genesis.hash,
    finalHeight: block.header.height,
    finalBlockId: block.id,
    holding: { height: block.header.height + 1, view: 0, commitments: voters, views: [view] },
  }
}
