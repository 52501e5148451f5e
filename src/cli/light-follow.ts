// `diseq follow --light`: final blocks as they come, each verified, from nodes that need not be trusted.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ForkError, LightClient } from '../light/index.ts'
import type { NamespaceBlock, ProvenHeader, TrustedBlock } from '../proofs/index.ts'
import { Failure, UsageError } from './errors.ts'
import { formatClock, formatData, formatNamespace, formatText, plural } from './format.ts'
import { readTrust } from './genesis-trust.ts'
import type { Terminal } from './terminal.ts'

export interface LightFollowOptions {
  readonly nodes: readonly string[]
  readonly genesis: string
  /** File of a block to go on from; kept up to date. */
  readonly checkpoint?: string
  readonly evidence: string
  readonly namespace?: string
  /** The first height shown; those before are verified all the same. */
  readonly from: number
  /** Blocks, or messages of the namespace, to be shown. */
  readonly count: number
  readonly json: boolean
  readonly signal: AbortSignal
  readonly terminal: Terminal
}

export async function followLight(options: LightFollowOptions): Promise<void> {
  const { genesis, nodes, checkpoint, evidence, signal, terminal } = options
  const start = checkpoint === undefined ? undefined : readCheckpoint(checkpoint)
  const light = new LightClient({
    trust: readTrust(genesis),
    nodes,
    onFailure: (error) => terminal.note(`diseq: ${formatText(error.message)}`),
    ...(start === undefined ? {} : { checkpoint: start }),
  })
  const blocks =
    options.namespace === undefined
      ? light.followHeaders(signal)
      : light.followNamespace(options.namespace, signal)
  try {
    let left = options.count
    for await (const block of blocks) {
      if (checkpoint !== undefined) saveCheckpoint(checkpoint, block)
      if (block.header.height < options.from) continue
      const lines = linesOf(block, options).slice(0, left)
      for (const line of lines) terminal.print(line)
      left -= lines.length
      if (left <= 0) return
    }
  } catch (error) {
    if (!(error instanceof ForkError)) throw error
    writeFileSync(evidence, `${JSON.stringify(error.evidence)}\n`)
    throw new Failure(
      `${error.message}: ${evidence} ("diseq verify" explains it); nothing after it was followed`,
    )
  }
}

function linesOf(block: ProvenHeader | NamespaceBlock, { json, namespace }: LightFollowOptions): string[] {
  const { id, header } = block
  const { height, time } = header
  if (!('messages' in block)) {
    const { messageCount, namespaceCount, stateHeight, stateRoot } = header
    if (json)
      return [JSON.stringify({ height, id, time, messageCount, namespaceCount, stateHeight, stateRoot })]
    return [`${formatClock(time)}  ${height}  ${id}  ${plural(messageCount, 'message')}`]
  }
  return block.messages.map(({ index, id: messageId, message }) => {
    if (!json)
      return `${formatClock(time)}  ${height}/${index}${formatNamespace(namespace)}  ${formatData(message.data)}`
    const data = Buffer.from(message.data).toString('base64')
    return JSON.stringify({ height, time, index, id: messageId, ...message, data })
  })
}

function readCheckpoint(path: string): TrustedBlock | undefined {
  if (!existsSync(path)) return undefined
  const { height, id, time } = (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as Partial<TrustedBlock>
  const isWhole = [height, time].every((number) => Number.isSafeInteger(number) && Number(number) >= 0)
  if (!isWhole || height === undefined || time === undefined || !/^[0-9a-f]{64}$/.test(id ?? ''))
    throw new UsageError(`${path}: no checkpoint, which is {"height","id","time"} of a block`)
  return { height, id: id as TrustedBlock['id'], time }
}

/** Written aside and moved, so that a cut leaves the old one. */
function saveCheckpoint(path: string, { id, header }: ProvenHeader): void {
  writeFileSync(`${path}.new`, `${JSON.stringify({ height: header.height, id, time: header.time })}\n`)
  renameSync(`${path}.new`, path)
}
