// An auditor that needs nobody's leave: it follows the headers of all nodes given, trusting none, and looks after the
// receipts that clients got (`POST /v1/messages?receipt=true`). It tells of
//   - two final blocks of one height, with the evidence (exit 3);
//   - receipts whose messages are not final so many blocks after they were promised (exit 4).
//
//   node examples/auditor.ts --genesis .diseq/genesis.json --node http://127.0.0.1:8080 --receipts receipts.jsonl
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { VerifiedClient } from 'diseq/client'
import { ForkError, LightClient } from 'diseq/light'
import { type ReceiptBody, trustGenesis, verifyReceipt } from 'diseq/verify'

const { values } = parseArgs({
  options: {
    genesis: { type: 'string', default: '.diseq/genesis.json' },
    node: { type: 'string', multiple: true, default: ['http://127.0.0.1:8080'] },
    /** One receipt a line. */
    receipts: { type: 'string' },
    /** Blocks in which a promised message has to be final. */
    patience: { type: 'string', default: '20' },
    /** Ends after this block. */
    until: { type: 'string' },
    evidence: { type: 'string', default: 'fork.json' },
  },
})
const trust = trustGenesis(readFileSync(values.genesis, 'utf8'))
if (!trust.ok) throw new Error(`${values.genesis}: ${trust.reason}`)
const nodes = values.node
const light = new LightClient({ trust: trust.value, nodes, pollMs: 200, crossCheckMs: 1_000 })
const client = new VerifiedClient({ trust: trust.value, nodes })
const until = values.until === undefined ? Number.POSITIVE_INFINITY : Number(values.until)
const patience = Number(values.patience)

function readReceipts(path: string): ReceiptBody[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter((line) => line.trim() !== '')
    .flatMap((receipt, at) => {
      const verdict = trust.ok ? verifyReceipt({ trust: trust.value, receipt }) : undefined
      if (verdict?.ok === true) return [verdict]
      console.log(`line ${at + 1}: no receipt (${verdict?.reason})`)
      return []
    })
}

/** Messages promised and not seen final yet, with the height at which the promise was made. */
const open = new Map<string, number>()
for (const { ids, finalHeight } of values.receipts === undefined ? [] : readReceipts(values.receipts)) {
  for (const id of ids) open.set(id, finalHeight)
}
const promisedCount = open.size

async function lookAfter(height: number): Promise<void> {
  for (const [id, promisedAt] of open) {
    const proven = await client.message(id)
    if (proven !== undefined) {
      console.log(`${id}: final, ${proven.block.header.height}/${proven.index}`)
      open.delete(id)
    } else if (height > promisedAt + patience) {
      console.log(`${id}: promised at height ${promisedAt}, not final at ${height}`)
      process.exitCode = 4
      open.delete(id)
    }
  }
}

try {
  for await (const { header } of light.followHeaders()) {
    // Looked after at the latest block only: those before were the past already when we came.
    if (header.height === light.tip.height) await lookAfter(header.height)
    if (header.height >= until) break
  }
  await light.crossCheck()
  const keptCount = promisedCount - open.size
  console.log(
    `audited to block ${light.tip.height}: one chain, ${keptCount} of ${promisedCount} messages looked after`,
  )
} catch (error) {
  if (!(error instanceof ForkError)) throw error
  writeFileSync(values.evidence, `${JSON.stringify(error.evidence)}\n`)
  console.log(`${error.message}: ${values.evidence}`)
  process.exitCode = 3
}
