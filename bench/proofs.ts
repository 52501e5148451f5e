// Sizes of proofs and the processor time that it takes to verify them, at 4, 21 and 100 validators of equal power: a Markdown table for
// docs/proofs.md. Run: `node bench/proofs.ts`.
import { sha256, verifySignature } from '../src/crypto/native/index.ts'
import { type Trust, trustGenesis, verifyProof } from '../src/proofs/index.ts'
import { thresholdsOf } from '../src/quorum/index.ts'
import type { Message } from '../src/types/index.ts'
import { provenChain, there } from '../test/support/proven-chain.ts'

const blockMessages = 1_000
const namespaces = 50
const repeats = 20

function messagesOf(block: number): Message[] {
  return Array.from({ length: blockMessages }, (_, index) => ({
    namespace: `namespace ${index % namespaces}`,
    data: new TextEncoder().encode(`block ${block} message ${index} of a hundred bytes `.padEnd(100, '.')),
    timestamp: 0,
  }))
}

/** Milliseconds of processor time of one verification: the median, once keys are known and code is warm. */
function measure(trust: Trust, proof: unknown): number {
  const times = Array.from({ length: repeats }, () => {
    const start = process.cpuUsage()
    const verdict = verifyProof({ trust, proof })
    if (!verdict.ok) throw new Error(verdict.reason)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000
  })
  return times.sort((a, b) => a - b)[repeats / 2] ?? 0
}

function kib(size: number): string {
  return `${(size / 1024).toFixed(1)} KiB`
}

console.log('| validators | signers | proof | size | portable | native |')
console.log('|---|---|---|---|---|---|')
for (const validatorCount of [4, 21, 100]) {
  const { quorum } = thresholdsOf(
    Array.from({ length: validatorCount }, () => 1),
    'byzantine',
  )
  const signers = Array.from({ length: quorum }, (_, index) => index)
  const chain = await provenChain({ validatorCount })
  for (let block = 1; block <= 10; block += 1) {
    await chain.builder.addBlock({
      messages: block % 5 === 0 ? messagesOf(block) : [],
      signers,
      attached: signers,
    })
  }
  const { maker } = chain
  const [some] = there(await chain.builder.store.readMessages(5))
  const proofs = {
    'a message of 1,000': await maker.finality(there(some).id),
    'the same, with its data in a trie of 2,000': await maker.finality(there(some).id, { withTrie: true }),
    'a namespace of 50: its 20 messages of 100 bytes': await maker.namespace('namespace 7', {
      from: 5,
      count: 1,
    }),
    'a namespace absent from 50': await maker.namespace('namespace 7x', { from: 5, count: 1 }),
    'absent from 10 blocks, 8 of them empty': await maker.namespace('none', { from: 1, count: 10 }),
    '10 headers': await maker.headers({ from: 1, count: 10 }),
  }
  for (const [name, proof] of Object.entries(proofs)) {
    const text = JSON.stringify(proof)
    const portable = trustGenesis(chain.genesisText)
    const native = trustGenesis(chain.genesisText, { sha256, verifySignature })
    if (!portable.ok || !native.ok) throw new Error('no genesis')
    const times = [measure(portable.value, text), measure(native.value, text)]
    const shown = times.map((ms) => `${ms.toFixed(1)} ms`).join(' | ')
    console.log(`| ${validatorCount} | ${quorum} | ${name} | ${kib(text.length)} | ${shown} |`)
  }
}
