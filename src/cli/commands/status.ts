// `diseq status`: how a node is.
import type { Command } from 'commander'
import { Client } from '../../client/index.ts'
import { type CommonOptions, type Context, newCommand, nodeOption } from '../command.ts'
import { formatBytes, formatTime, table } from '../format.ts'

interface Options extends CommonOptions {
  readonly node: string
}

export function addStatusCommand(program: Command, context: Context): void {
  newCommand(program, 'status', 'show how a node is')
    .addOption(nodeOption())
    .action((options: Options) => printStatus(options, context))
}

async function printStatus({ node, json }: Options, { terminal }: Context): Promise<void> {
  const status = await new Client({ nodes: [node] }).status()
  if (json) {
    terminal.print(JSON.stringify(status))
    return
  }
  const role = status.validator === null ? 'follows, without voting' : `validator ${status.validator}`
  const ready = status.isReady ? 'ready' : `not ready: ${status.reason ?? 'starting'}`
  terminal.print(
    table([
      ['chain', `${status.chainId} (genesis ${status.genesisHash.slice(0, 16)}…)`],
      ['node', `${role}, version ${status.version}, ${ready}`],
      ['peer id', status.peerId],
      ['final height', `${status.finalHeight} (${formatTime(status.finalBlockTime)})`],
      ['final block', status.finalBlockId],
      ['under way', `height ${status.height}, view ${status.view}`],
      ['pool', `${status.pool.messageCount} messages, ${formatBytes(status.pool.sizeBytes)}`],
      ['peers', String(status.peerCount)],
      ['state root', status.stateRoot],
    ]),
  )
}
