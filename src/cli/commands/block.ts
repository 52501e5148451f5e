// `diseq block`: one final block.
import type { Command } from 'commander'
import { type BlockReply, Client, toBase64 } from '../../client/index.ts'
import { type CommonOptions, type Context, heightArgument, newCommand, nodeOption } from '../command.ts'
import { Failure } from '../errors.ts'
import { formatData, formatNamespace, formatTime, plural, table } from '../format.ts'

interface Options extends CommonOptions {
  readonly node: string
}

export function addBlockCommand(program: Command, context: Context): void {
  newCommand(program, 'block', 'show a final block')
    .addArgument(heightArgument())
    .addOption(nodeOption())
    .action((height: number | 'latest', options: Options) => printBlock(height, options, context))
}

async function printBlock(
  height: number | 'latest',
  { node, json }: Options,
  { terminal }: Context,
): Promise<void> {
  const block = await new Client({ nodes: [node] }).block(height)
  if (block === undefined) throw new Failure(`block ${height}: ${node} has no final block of this height yet`)
  if (json) {
    const messages = block.messages.map((message) => ({ ...message, data: toBase64(message.data) }))
    terminal.print(JSON.stringify({ ...block, messages }))
    return
  }
  terminal.print(table(rowsOf(block)))
  for (const { index, id, namespace, data } of block.messages) {
    const place = formatNamespace(namespace)
    terminal.print(`  ${String(index).padStart(4)}  ${id}${place}  ${formatData(data)}`)
  }
}

function rowsOf({ height, id, time, header, finalization, messages }: BlockReply): [string, string][] {
  const rows: [string, string][] = [
    ['block', String(height)],
    ['id', id],
    ['time', formatTime(time)],
  ]
  if (header === null || finalization === null)
    return [...rows, ['genesis', 'no leader, no votes, no messages']]
  const voters = finalization.signatures.map(({ validator }) => validator).join(', ')
  return [
    ...rows,
    ['leader', `validator ${header.leader} in view ${header.view}`],
    ['final by', `validators ${voters} in view ${finalization.view}`],
    ['previous', header.previousBlockId],
    ['state root', header.stateRoot],
    ['holds', plural(messages.length, 'message')],
  ]
}
