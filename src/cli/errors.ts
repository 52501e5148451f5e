// What a failed command prints, and its exit code: one line that says what was wrong, where, and what to do.
import { CommanderError } from 'commander'
import { ClientError } from '../client/index.ts'
import { HomeError } from '../node/home.ts'

/** The call was wrong: exit 2. */
export class UsageError extends Error {}

/** The command could not do what was asked: exit 1. */
export class Failure extends Error {}

export const exitCodes = { done: 0, failed: 1, wrongUsage: 2 } as const

export interface Explanation {
  readonly exitCode: number
  /** Undefined where it was said already. */
  readonly line: string | undefined
}

/** A database that lacks what was written to it, or holds what never was: of the store, and of the trie in it. */
const damageCodes = ['corrupted', 'missing-page', 'bad-page', 'bad-checkpoint', 'missing-data']
const damageHint =
  '; move the folder "database" away, and nothing else of the home, and start again: the node fetches the chain anew'

/** Errors of the home that another command line (or config) would not have. */
const usageCodes = ['wrong-config', 'missing', 'exists', 'contradiction']

export function explain(error: unknown): Explanation {
  if (error instanceof CommanderError) {
    const isWrong = error.exitCode !== 0
    // Called without a command, it has printed the help instead of an error.
    const line = isWrong && error.code !== 'commander.help' ? commanderLine(error.message) : undefined
    return { exitCode: isWrong ? exitCodes.wrongUsage : exitCodes.done, line }
  }
  if (error instanceof UsageError) return { exitCode: exitCodes.wrongUsage, line: error.message }
  if (error instanceof HomeError) {
    const exitCode = usageCodes.includes(error.code) ? exitCodes.wrongUsage : exitCodes.failed
    return { exitCode, line: error.message }
  }
  return { exitCode: exitCodes.failed, line: lineOf(error) }
}

/** One line: what was wrong, and what to do. */
export function lineOf(error: unknown): string {
  if (error instanceof Failure) return error.message
  if (error instanceof ClientError) return `${error.message}${hintFor(error)}`
  const { code, syscall, path, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  // By its text: libraries that listen on several addresses put the system's errors into one of their own.
  const taken = /EADDRINUSE[^\n]*?(\S+:\d+)$/m.exec(message ?? '')
  if (taken !== null)
    return `${taken[1]}: another program has this port; choose another, or stop that program`
  if (code !== undefined && syscall !== undefined) return systemLine({ code, syscall, path, message })
  // One of our own typed errors of another room, whose message is a sentence already.
  if (code !== undefined && message !== undefined)
    return `${oneLine(message)}${damageCodes.includes(code) ? damageHint : ''}`
  return `unexpected error: ${oneLine(message ?? String(error))} (--log-level debug shows where; please report it)`
}

function hintFor(error: ClientError): string {
  switch (error.code) {
    case 'unreachable':
      return '; start a node ("npm start" in a checkout), or name another with --node'
    case 'busy':
      return '; try again later, or name another node with --node'
    case 'bad-reply':
      return '; check --node'
    case 'bad-proof':
      return '; name another node with --node, and check that --genesis is that of its network'
    case 'timeout':
    case 'refused':
    case 'failed':
      return ''
  }
}

function systemLine({
  code,
  syscall,
  path,
  message,
}: {
  code: string
  syscall: string
  path: string | undefined
  message: string | undefined
}): string {
  const place = path ?? oneLine(message ?? syscall)
  switch (code) {
    case 'ENOENT':
      return `${place}: there is no such file or folder`
    case 'EACCES':
    case 'EPERM':
      return `${place}: permission denied; use another folder, or run as its owner`
    case 'ENOSPC':
      return `${place}: the disk is full`
    default:
      return `${place}: ${code} (${syscall})`
  }
}

function commanderLine(message: string): string {
  // The suggestion comes on a line of its own.
  return `${oneLine(message.replace(/^error: /, '')).replace(/\.$/, '')}; --help shows what there is`
}

/** Without the stack that some libraries put into a message. */
function oneLine(text: string): string {
  return (text.split(/\n\s+at /)[0] ?? '').trim().replace(/\s*\n\s*/g, ' ')
}
