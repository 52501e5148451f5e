// `diseq inspect`: what a stopped node has stored.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { homePaths } from '../../node/home.ts'
import type { HomeView } from '../../node/inspect.ts'
import { type CommonOptions, type Context, homeOption, integerOption, newCommand } from '../command.ts'
import { Failure, UsageError } from '../errors.ts'
import { formatBytes, formatData, formatNamespace, formatTime, plural, table } from '../format.ts'

interface Options extends CommonOptions {
  readonly home: string
  readonly block?: number
}

export function addInspectCommand(program: Command, context: Context): void {
  newCommand(program, 'inspect', 'show what a stopped node has stored')
    .addOption(homeOption())
    .option(
      '--block <height>',
      'a block of it, with its messages',
      integerOption({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    .action((options: Options) => inspect(options, context))
}

async function inspect({ home, block, json }: Options, { terminal }: Context): Promise<void> {
  if (!existsSync(homePaths(home).genesis)) throw new UsageError(`${home}: not the home of a node`)
  if (block !== undefined) return printBlock(home, block, json === true, terminal)
  const { inspectHome } = await import('../../node/inspect.ts')
  const view = await inspectHome(home)
  if (json) {
    const { genesis, ...rest } = view
    const { chainId, hash } = genesis
    terminal.print(JSON.stringify({ home, chainId, genesisHash: hash, ...rest, record: rest.record ?? null }))
    return
  }
  terminal.print(table(rowsOf(view)))
  for (const { peerId, addresses } of view.peers) terminal.print(`  ${peerId}  ${addresses.join(' ')}`)
}

function rowsOf({ genesis, validator, tip, pool, caught, peers, record }: HomeView): [string, string][] {
  const role = validator === undefined ? 'follows, without voting' : `validator ${validator}`
  const last = record?.last.at(-1)
  const state = record?.awaitsFloor === true ? ', waits until others tell how far they are' : ''
  return [
    ['chain', `${genesis.chainId} (genesis ${genesis.hash.slice(0, 16)}…)`],
    ['node', role],
    ['final height', `${tip.height} (${formatTime(tip.time)})`],
    ['final block', tip.id],
    ['pool', `${plural(pool.messageCount, 'message')}, ${formatBytes(pool.sizeBytes)}`],
    ['caught', caught.length === 0 ? 'nobody' : `validators ${caught.join(', ')}`],
    ...(record === undefined
      ? []
      : ([
          [
            'signed',
            record.isMissing
              ? 'nothing: there is no record'
              : `${plural(record.number, 'signature')}${last === undefined ? '' : `, last a ${last.kind} of height ${last.height}`}${state}`,
          ],
        ] as [string, string][])),
    ['knows', plural(peers.length, 'peer')],
  ]
}

async function printBlock(
  home: string,
  height: number,
  isJson: boolean,
  terminal: Context['terminal'],
): Promise<void> {
  const { inspectBlock } = await import('../../node/inspect.ts')
  const found = await inspectBlock(home, height)
  if (found === undefined) throw new Failure(`${home}: has no block ${height}`)
  const { block, finalization } = found.final
  const { id, header } = block
  const voters = finalization.signatures.map(({ validator }) => validator)
  if (isJson) {
    const messages = found.messages.map(({ id, message }, index) => ({
      index,
      id,
      ...message,
      data: Buffer.from(message.data).toString('base64'),
    }))
    const { leader, view, time, stateRoot } = header
    terminal.print(JSON.stringify({ height, id, leader, view, time, stateRoot, voters, messages }))
    return
  }
  terminal.print(
    table([
      ['block', String(height)],
      ['id', id],
      ['time', formatTime(header.time)],
      ['leader', `validator ${header.leader} in view ${header.view}`],
      ['final by', `validators ${voters.join(', ')}`],
      ['state root', header.stateRoot],
      ['holds', plural(found.messages.length, 'message')],
    ]),
  )
  for (const [index, { id, message }] of found.messages.entries()) {
    const place = formatNamespace(message.namespace)
    terminal.print(`  ${String(index).padStart(4)}  ${id}${place}  ${formatData(message.data)}`)
  }
}
