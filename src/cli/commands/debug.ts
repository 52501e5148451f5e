// `diseq debug dump`: a folder with what is needed to find out what is wrong with a node, to be sent to others: no keys.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { homePaths } from '../../node/home.ts'
import { type CommonOptions, type Context, homeOption, newCommand, nodeAddress } from '../command.ts'
import { makeDump } from '../debug-dump.ts'
import { UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly home: string
  readonly output?: string
  readonly node?: string
  readonly heap?: true
}

export function addDebugCommand(program: Command, context: Context): void {
  const debug = program.command('debug').description('find out what is wrong')
  newCommand(debug, 'dump', 'write state, config and logs of a node into a folder, without keys')
    .addOption(homeOption())
    .option('--output <dir>', 'folder to make (default: diseq-dump-<time>)')
    .option('--node <url>', 'address of the running node (default: that of its config)', nodeAddress)
    .option('--heap', 'the memory of the running node as well: this part does hold its keys')
    .action((options: Options) => dump(options, context))
}

async function dump({ home, output, node, heap, json }: Options, { terminal }: Context): Promise<void> {
  if (!existsSync(homePaths(home).genesis)) throw new UsageError(`${home}: not the home of a node`)
  const folder = output ?? `diseq-dump-${new Date().toISOString().replace(/[:.]/g, '-')}`
  if (existsSync(folder)) throw new UsageError(`${folder}: exists already; use another --output`)
  const { files, missing, heapFile } = await makeDump({
    home,
    folder,
    node,
    isHeapWanted: heap === true,
    env: terminal.env,
    onProgress: (what) => terminal.progress(what),
  })
  if (json) {
    terminal.print(JSON.stringify({ folder, files, missing, heapFile: heapFile ?? null }))
    return
  }
  terminal.print(`Wrote ${files.length} files to ${folder}.`)
  for (const line of missing) terminal.note(`left out: ${line}`)
  if (heapFile !== undefined)
    terminal.note(`${heapFile} holds the node's keys, as its memory does: hand it to nobody.`)
}
