// `diseq follow`: the messages of the chain as they become final, until Ctrl-C.
import type { Command } from 'commander'
import { Client, type FollowedBlock, toBase64 } from '../../client/index.ts'
import { type CommonOptions, type Context, integerOption, newCommand, nodeAddress } from '../command.ts'
import { UsageError } from '../errors.ts'
import { formatClock, formatData, formatNamespace } from '../format.ts'
import { followLight } from '../light-follow.ts'

interface Options extends CommonOptions {
  readonly node?: readonly string[]
  readonly namespace?: string
  readonly from?: number
  readonly count?: number
  readonly light?: true
  readonly genesis?: string
  readonly checkpoint?: string
  readonly evidence: string
}

export function addFollowCommand(program: Command, context: Context): void {
  newCommand(program, 'follow', 'print messages as they become final, each once, until Ctrl-C')
    .option(
      '--node <url>',
      'address of a node (default: http://127.0.0.1:8080, or DISEQ_NODE); repeat it to go on with another where one ends',
      addNode,
    )
    .option('--namespace <name>', 'only messages of this namespace')
    .option(
      '--from <height>',
      'begin with this block; without it, with the next one',
      integerOption({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    )
    .option(
      '--count <n>',
      'end after so many messages',
      integerOption({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    .option('--light', 'trust no node: verify every block from genesis on; without --namespace, print blocks')
    .option('--genesis <file>', "with --light: the network's genesis file, from a source that you trust")
    .option('--checkpoint <file>', 'with --light: go on from the block in this file, and keep it up to date')
    .option(
      '--evidence <file>',
      'with --light: where two final blocks of one height are kept',
      'diseq-fork.json',
    )
    .action((options: Options) => follow(options, context))
}

async function follow(options: Options, { terminal }: Context): Promise<void> {
  const { node, namespace, from, count, json } = options
  if (namespace !== undefined && (namespace === '' || Buffer.byteLength(namespace) > 64)) {
    throw new UsageError(`--namespace: 1 to 64 bytes are needed, not ${Buffer.byteLength(namespace)}`)
  }
  const nodes = node ?? [nodeAddress(terminal.env.DISEQ_NODE ?? 'http://127.0.0.1:8080')]
  const controller = new AbortController()
  if (count === undefined) void terminal.untilStopped().signal.then(() => controller.abort())
  if (options.light === true) {
    const { genesis, checkpoint, evidence } = options
    if (genesis === undefined)
      throw new UsageError('--light: --genesis is needed, to verify blocks against it')
    await followLight({
      nodes,
      genesis,
      evidence,
      from: from ?? 0,
      count: count ?? Number.POSITIVE_INFINITY,
      json: json === true,
      signal: controller.signal,
      terminal,
      ...(namespace === undefined ? {} : { namespace }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    })
    return
  }
  if (options.genesis !== undefined || options.checkpoint !== undefined)
    throw new UsageError('--genesis and --checkpoint are for --light')
  const blocks = new Client({ nodes }).stream({
    signal: controller.signal,
    ...(namespace === undefined ? {} : { namespace }),
    ...(from === undefined ? {} : { from }),
  })
  let left = count ?? Number.POSITIVE_INFINITY
  for await (const block of blocks) {
    for (const message of block.messages.slice(0, left))
      terminal.print(json ? jsonOf(block, message) : lineOf(block, message))
    left -= block.messages.length
    if (left <= 0) return
  }
}

type Message = FollowedBlock['messages'][number]

function lineOf({ height, time }: FollowedBlock, { index, namespace, data }: Message): string {
  const place = formatNamespace(namespace)
  return `${formatClock(time)}  ${height}/${index}${place}  ${formatData(data)}`
}

function jsonOf({ height, time }: FollowedBlock, message: Message): string {
  return JSON.stringify({ height, time, ...message, data: toBase64(message.data) })
}

function addNode(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nodeAddress(text)]
}
