// `diseq verify`: checks a proof with the genesis file alone. No network, no home.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Refused, verifyProof } from '../../proofs/index.ts'
import { type CommonOptions, type Context, newCommand } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { formatText } from '../format.ts'
import { readTrust } from '../genesis-trust.ts'
import { refusalSentences } from '../refusal-sentences.ts'
import { textOfUtf8 } from '../utf8.ts'
import { verdictJson, verdictLines } from '../verdict.ts'

interface Options extends CommonOptions {
  readonly genesis: string
}

export function addVerifyCommand(program: Command, context: Context): void {
  newCommand(program, 'verify', 'check a proof offline: exit 0 if it holds, 1 with the check that failed')
    .argument('<proof>', 'file of the proof, or "-" for standard input')
    .requiredOption('--genesis <file>', "the network's genesis file, from a source that you trust")
    .action((proof: string, options: Options) => verify(proof, options, context))
}

async function verify(path: string, { genesis, json }: Options, context: Context): Promise<void> {
  const { terminal } = context
  const trust = readTrust(genesis)
  const bytes = path === '-' ? await readAll(terminal.input()) : readFileSync(path)
  const proof = textOfUtf8(bytes)
  const verdict = proof === undefined ? notText : verifyProof({ trust, proof })
  if (verdict.ok) {
    if (json) terminal.print(verdictJson(verdict))
    else for (const line of verdictLines(verdict, trust)) terminal.print(line)
    return
  }
  context.exitCode = exitCodes.failed
  const { reason, detail } = verdict
  if (json) terminal.print(JSON.stringify(verdict))
  const where = detail === '' ? '' : ` (${formatText(detail)})`
  terminal.note(`diseq: ${path}: refused, ${reason}: ${refusalSentences[reason]}${where}`)
}

const notText: Refused = { ok: false, reason: 'malformed', detail: 'not UTF-8' }

async function readAll(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of input) chunks.push(chunk)
  return Buffer.concat(chunks)
}
