// `diseq pool`: what waits on a node.
import type { Command } from 'commander'
import { Client, toBase64 } from '../../client/index.ts'
import { type CommonOptions, type Context, integerOption, newCommand, nodeOption } from '../command.ts'
import { formatBytes, formatClock, formatData, formatNamespace, plural } from '../format.ts'

interface Options extends CommonOptions {
  readonly node: string
  readonly limit: number
}

export function addPoolCommand(program: Command, context: Context): void {
  newCommand(program, 'pool', 'show the messages that wait on a node, oldest first')
    .addOption(nodeOption())
    .option('--limit <n>', 'how many to show', integerOption({ min: 0, max: 1_000 }), 20)
    .action((options: Options) => printPool(options, context))
}

async function printPool({ node, limit, json }: Options, { terminal }: Context): Promise<void> {
  const { messageCount, sizeBytes, messages } = await new Client({ nodes: [node] }).pool(limit)
  if (json) {
    const shown = messages.map((message) => ({ ...message, data: toBase64(message.data) }))
    terminal.print(JSON.stringify({ messageCount, sizeBytes, messages: shown }))
    return
  }
  const more = messageCount > messages.length ? `; the oldest ${messages.length}:` : ''
  terminal.print(`${plural(messageCount, 'message')}, ${formatBytes(sizeBytes)}${more}`)
  for (const { id, receivedAt, namespace, data } of messages) {
    const place = formatNamespace(namespace)
    terminal.print(`  ${formatClock(receivedAt)}  ${id}${place}  ${formatData(data)}`)
  }
}
