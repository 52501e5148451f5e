// `diseq send`: submits messages from the arguments, or a message a line of standard input.
import type { Command } from 'commander'
import { Client, type MessageState, type OutgoingMessage } from '../../client/index.ts'
import { type CommonOptions, type Context, integerOption, newCommand, nodeAddress } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { plural } from '../format.ts'
import { dataOf, groupsOf, linesOf } from '../message-input.ts'
import type { Terminal } from '../terminal.ts'

interface Options extends CommonOptions {
  readonly node?: readonly string[]
  readonly namespace?: string
  readonly hex?: true
  readonly wait?: true
  readonly timestamp?: number
  readonly expiresAt?: number
}

/** From here on the count is shown while it goes on. */
const manyMessages = 1_000
const u32Max = 0xffff_ffff

export function addSendCommand(program: Command, context: Context): void {
  newCommand(program, 'send', 'submit messages, and print their ids')
    .argument('<data...>', 'a message each; or "-": a message a line of standard input, empty lines left out')
    .option(
      '--node <url>',
      'address of a node (default: http://127.0.0.1:8080, or DISEQ_NODE); repeat it to spread messages over several',
      addNode,
    )
    .option('--namespace <name>', 'namespace of the messages: 1 to 64 bytes')
    .option('--hex', 'the data are hex digits')
    .option('--wait', 'wait until the messages are final, and print their place: id, height, index')
    .option(
      '--timestamp <n>',
      'a number of your own that is part of the message (default: 0)',
      integerOption({ min: 0, max: u32Max }),
    )
    .option(
      '--expires-at <height>',
      'the last height whose block may include them',
      integerOption({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    .action((data: readonly string[], options: Options) => send(data, options, context))
}

async function send(data: readonly string[], options: Options, context: Context): Promise<void> {
  const { terminal } = context
  const client = new Client({
    nodes: options.node ?? [nodeAddress(terminal.env.DISEQ_NODE ?? 'http://127.0.0.1:8080')],
  })
  const toMessage = messageMaker(options)
  const groups = groupsOf(arrivalsOf(data, options, terminal), toMessage)
  const isFinalAwaited = options.wait === true
  let count = 0
  let lost = 0
  for await (const states of client.sendMany(groups, { isFinalAwaited })) {
    for (const state of states) terminal.print(options.json ? JSON.stringify(state) : lineOf(state))
    count += states.length
    lost += states.filter(({ state }) => state === 'expired' || state === 'refused').length
    if (count >= manyMessages)
      terminal.progress(`${plural(count, 'message')} ${isFinalAwaited ? 'final' : 'accepted'}`)
  }
  if (count === 0) throw new UsageError('standard input holds no message: nothing was sent')
  if (count >= manyMessages)
    terminal.note(`${plural(count, 'message')} ${isFinalAwaited ? 'final' : 'accepted'}.`)
  if (lost > 0) {
    terminal.note(`diseq: ${plural(lost, 'message')} will not be in the chain (marked above)`)
    context.exitCode = exitCodes.failed
  }
}

async function* arrivalsOf(
  data: readonly string[],
  { hex }: Options,
  terminal: Terminal,
): AsyncGenerator<readonly Uint8Array[]> {
  const isHex = hex === true
  if (data.length !== 1 || data[0] !== '-') {
    if (data.includes('-')) throw new UsageError('"-" (standard input) stands alone, without other messages')
    yield data.map((text, index) => dataOf(text, { isHex, place: `message ${index + 1}` }))
    return
  }
  for await (const lines of linesOf(terminal.input())) {
    const filled = lines.filter(({ text }) => text !== '')
    yield filled.map(({ text, line }) => dataOf(text, { isHex, place: `standard input, line ${line}` }))
  }
}

function messageMaker({ namespace, timestamp, expiresAt }: Options): (data: Uint8Array) => OutgoingMessage {
  if (namespace !== undefined) {
    const size = new TextEncoder().encode(namespace).length
    if (size < 1 || size > 64) throw new UsageError(`--namespace: 1 to 64 bytes are needed, not ${size}`)
  }
  const fields = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
  return (data) => ({ data, ...fields })
}

function lineOf({ id, state, height, index, reason }: MessageState): string {
  if (state === 'pending') return id
  if (state === 'final') return `${id} ${height} ${index}`
  return `${id} ${state}${reason === undefined ? '' : `: ${reason}`}`
}

function addNode(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nodeAddress(text)]
}
