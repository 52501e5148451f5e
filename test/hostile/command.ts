// Programs of the machine: run to their end, their output taken.
import { execFile, spawnSync } from 'node:child_process'

export interface CommandEnd {
  readonly code: number
  /** What it said, in all. */
  readonly output: string
}

/** Without holding this process up. */
export function finish(command: string, args: readonly string[]): Promise<CommandEnd> {
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output: `${stdout}${stderr}` })
    })
  })
}

/** @throws with all it said where it fails. */
export function run(command: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = attempt(command, args, input)
  if (status === 0) return stdout.trim()
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? status}\n${stdout}${stderr}`)
}

export function attempt(
  command: string,
  args: readonly string[],
  input?: string,
): { status: number | null; stdout: string; stderr: string; error?: Error | undefined } {
  return spawnSync(command, args, { encoding: 'utf8', ...(input === undefined ? {} : { input }) })
}

export function isThere(command: string, ...args: readonly string[]): boolean {
  return attempt(command, args).status === 0
}
