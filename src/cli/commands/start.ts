// `diseq start`: runs one node until it is told to stop.
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { writeHeapSnapshot } from 'node:v8'
import type { Command } from 'commander'
import type { Logger } from 'pino'
import { loadConfig } from '../../node/config.ts'
import { homePaths } from '../../node/home.ts'
import { exposedKeyFiles } from '../../node/keys.ts'
import { createLogger } from '../../node/log.ts'
import { type CommonOptions, type Context, homeOption, newCommand } from '../command.ts'
import { addConfigFlags, flagsGiven } from '../config-flags.ts'
import { exitCodes, Failure, lineOf, UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly home: string
}

export function addStartCommand(program: Command, context: Context): void {
  const command = newCommand(program, 'start', 'run a node').addOption(homeOption())
  addConfigFlags(command)
  command.action((options: Options) => runNode(options, context))
}

async function runNode(options: Options, context: Context): Promise<void> {
  const { home } = options
  const { terminal } = context
  if (!existsSync(homePaths(home).genesis)) {
    throw new UsageError(
      `${home}: not the home of a node; make one with "diseq init --home ${home} --genesis FILE"`,
    )
  }
  const config = loadConfig({ home, flags: flagsGiven(options), env: terminal.env })
  const log = createLogger(config)
  for (const path of exposedKeyFiles(home))
    log.warn({ path }, 'others on this machine may read this key: chmod 600')

  // Before the start, which takes a moment: a Ctrl-C during it is not lost.
  const { signal, insisted } = terminal.untilStopped()
  const orphaned = untilParentIsGone()
  const { startNode } = await import('../../node/node.ts')
  const node = await startNode({ home, config, log })
  terminal.print(
    options.json
      ? JSON.stringify({ home, httpAddress: node.httpAddress, p2pAddresses: node.p2pAddresses })
      : `Running: HTTP at ${node.httpAddress}, peers at ${node.p2pAddresses.join(', ')}`,
  )

  const forget = answerHeapRequests(home, log)
  const stoppedByItself = node.stopped.then((error) => ({ error }))
  const asked = await Promise.race([signal, orphaned, stoppedByItself])
  forget()
  if (typeof asked !== 'string') {
    const reason = asked.error === undefined ? 'its log says why' : lineOf(asked.error)
    throw new Failure(`${home}: the node stopped by itself: ${reason}`)
  }
  log.info({ signal: asked }, 'stopping')
  const isStopped = await Promise.race([node.stop().then(() => true), insisted.then(() => false)])
  if (isStopped) return
  log.warn('stopped at once, on the second signal; the next start recovers')
  process.exit(exitCodes.failed)
}

/** `diseq debug dump --heap` finds the process by its id, and asks by a signal. */
function answerHeapRequests(home: string, log: Logger): () => void {
  const { processId, heap } = homePaths(home)
  const onRequest = (): void => {
    const draft = `${heap}.part`
    log.warn({ path: heap }, 'writing the heap, as asked by a signal; the node stands still meanwhile')
    writeHeapSnapshot(draft)
    chmodSync(draft, 0o600)
    renameSync(draft, heap)
  }
  writeFileSync(processId, `${process.pid}\n`)
  process.on('SIGUSR2', onRequest)
  return () => {
    process.off('SIGUSR2', onRequest)
    rmSync(processId, { force: true })
  }
}

/** `devnet` holds a channel to each of its nodes; when that closes, it is gone, however it went. */
function untilParentIsGone(): Promise<string> {
  if (process.channel === undefined || process.channel === null) return new Promise(() => undefined)
  return new Promise((resolve) => {
    process.once('disconnect', () => resolve('the starter is gone'))
    // To listen is no reason to stay alive once the node has stopped.
    process.channel?.unref()
  })
}
