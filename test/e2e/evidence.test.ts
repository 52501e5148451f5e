// What becomes of a validator that contradicts itself on a real network: a record on every node, checkable offline, on
// disk, in the chain, and its turns as leader gone.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCli } from '../../src/cli/program.ts'
import { Client, VerifiedClient } from '../../src/client/index.ts'
import { encodeVoteBody } from '../../src/codec/index.ts'
import { leaderOf, leaderOrder } from '../../src/consensus/index.ts'
import { beaconOf, createSigner, signingInput, vrfOutputOf } from '../../src/crypto/native/index.ts'
import { readKeys } from '../../src/node/keys.ts'
import { type Trust, trustGenesis, verifyProof } from '../../src/proofs/index.ts'
import { evidenceNamespace, evidenceOfMessage } from '../../src/sequencing/index.ts'
import type { BlockId, Hash, Header } from '../../src/types/index.ts'
import { aLocalNetwork, type LocalNetwork, until, untilReady } from '../support/local-network.ts'

const culprit = 3

/** Hands in a notarize vote of the culprit, as if it came from its node. */
async function voteFor(
  network: LocalNetwork,
  trust: Trust,
  at: { node: number; height: number; digit: string },
) {
  const { votingSeed } = readKeys(network.testnet.nodes[culprit]?.home ?? '')
  const blockId = at.digit.repeat(64) as BlockId
  const bytes = encodeVoteBody({ kind: 'notarize', height: at.height, view: 0, blockId })
  const signer = createSigner(votingSeed)
  const signature = signer.sign(signingInput({ kind: 'notarize', genesisHash: trust.genesis.hash, bytes }))
  const reply = await fetch(`${network.addresses[at.node]}/commit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      bytes: [...bytes],
      signature: [...signature],
      validator: [...Buffer.from(signer.publicKey, 'hex')],
    }),
  })
  assert.equal(reply.status, 200, await reply.text())
}

/** Who led a block by L1 and L2, had these been convicted. */
function leaderBy(
  trust: Trust,
  previous: Header | undefined,
  { view }: Header,
  convicted: readonly number[],
): number {
  const output = previous === undefined ? undefined : vrfOutputOf(previous.vrfProof)
  assert(output !== undefined)
  const demoted = new Set(convicted)
  return leaderOf(leaderOrder({ beacon: beaconOf(output) as Hash, powers: trust.powers, demoted }), view)
}

test('two votes of one validator become evidence on every node, on disk, in the chain and in the order of leaders', {
  timeout: 240_000,
}, async (t) => {
  const network = await aLocalNetwork(t)
  const { client, addresses, folder } = network
  const genesisText = JSON.stringify(await client.genesis())
  const trusted = trustGenesis(genesisText)
  assert(trusted.ok)
  const trust = trusted.value
  const verified = new VerifiedClient({ trust, nodes: addresses })
  let sent = 0
  const aBlock = async () => {
    const data = new TextEncoder().encode(`message ${sent++}`)
    const [state] = await client.send([{ data }], { isFinalAwaited: true })
    assert(state?.height !== undefined)
    return state.height
  }
  await aBlock()

  const { height } = await client.status()
  await voteFor(network, trust, { node: 0, height, digit: 'a' })
  await voteFor(network, trust, { node: 1, height, digit: 'b' })
  const evidenceOn = (address: string) => new Client({ nodes: [address] }).evidence()
  for (const address of addresses) {
    await until(async () => (await evidenceOn(address)).length > 0)
    const [{ validator, proof } = { validator: -1, proof: undefined }] = await evidenceOn(address)
    assert.equal(validator, culprit)
    const verdict = verifyProof({ trust, proof: JSON.stringify(proof) })
    assert(verdict.ok && verdict.kind === 'evidence')
    assert.deepEqual([verdict.validator, verdict.height, verdict.conflict], [culprit, height, 'notarizes'])
  }

  await t.test('the command line fetches it, and explains it offline', async () => {
    const out: string[] = []
    const terminal = {
      env: {},
      print: (line: string) => void out.push(line),
      note: (line: string) => void out.push(line),
      progress: () => undefined,
      input: async function* () {},
      untilStopped: () => ({
        signal: new Promise<string>(() => undefined),
        insisted: new Promise<void>(() => undefined),
      }),
    }
    const [proofFile, genesisFile] = [join(folder, 'evidence.json'), join(folder, 'genesis-copy.json')]
    assert.equal(
      await runCli(['proof', '--node', addresses[2] ?? '', '--evidence', String(culprit)], terminal),
      0,
    )
    writeFileSync(proofFile, out.splice(0).join('\n'))
    writeFileSync(genesisFile, genesisText)
    assert.equal(await runCli(['verify', '--genesis', genesisFile, proofFile], terminal), 0)
    assert.match(
      out.join('\n'),
      /^proven +node3 \(1\) signed what no honest validator signs\nat height +\d+\nwhat +notarizes that contradict each other$/,
    )
  })

  let convictedAt = 0
  await t.test('the chain has it once, in its own namespace', async () => {
    const found = async () => {
      const { finalHeight } = await client.status()
      const range = { from: 1, to: finalHeight }
      const proven = await verified.namespace(evidenceNamespace, range)
      return (
        proven?.blocks.flatMap(({ header, messages }) => messages.map((each) => ({ header, ...each }))) ?? []
      )
    }
    await until(async () => (await found()).length > 0)
    await aBlock()
    const [first, ...others] = await found()
    assert(first !== undefined && others.length === 0)
    const evidence = evidenceOfMessage(first.message)
    assert(evidence.ok && evidence.value.validator === culprit)
    convictedAt = first.header.height
  })

  await t.test('from the next height on it leads after all others', async () => {
    let wouldHaveLed = 0
    while (wouldHaveLed === 0) {
      const to = await aBlock()
      const proven = await verified.headers({ from: 1, to })
      const headers = proven?.headers.map(({ header }) => header) ?? []
      for (const [at, header] of headers.entries()) {
        if (at === 0) continue
        const convicted = header.height > convictedAt ? [culprit] : []
        assert.equal(
          header.leader,
          leaderBy(trust, headers[at - 1], header, convicted),
          `block ${header.height}`,
        )
        const isItsTurn = leaderBy(trust, headers[at - 1], header, []) === culprit
        if (convicted.length > 0 && isItsTurn && header.leader !== culprit) wouldHaveLed += 1
      }
    }
  })

  await t.test('it is on disk, and the network goes on with all four', async () => {
    await network.stop(2)
    await network.start(2)
    const address = addresses[2] ?? ''
    await untilReady(address)
    assert.deepEqual(
      (await evidenceOn(address)).map(({ validator }) => validator),
      [culprit],
    )
    const height = await aBlock()
    await until(async () => {
      const states = await Promise.all(addresses.map((each) => new Client({ nodes: [each] }).status()))
      return states.every(({ finalHeight }) => finalHeight >= height)
    })
  })
})
