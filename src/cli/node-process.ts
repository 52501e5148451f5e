// How commands that run several nodes on one machine start one: its arguments, and settings of memory that can only be
// given to a process from outside.
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Less memory for the youngest objects: four nodes on two cores were no slower for it (docs/performance.md). */
const memoryFlags = ['--max-semi-space-size=8']
/** glibc gives each thread an arena of its own, and what one frees no other uses: a seventh of a busy node's memory. */
const memoryEnvironment = { MALLOC_ARENA_MAX: '1' }

/** Arguments for `process.execPath`: the program as the node of that home.
 *  @param flags for Node itself.
 *  @param main the program's main file; absent: this same program. */
export function nodeArguments(home: string, flags: readonly string[] = [], main = mainFileHere()): string[] {
  return [...memoryFlags, ...flags, main, 'start', '--home', home, '--log-format', 'json']
}

function mainFileHere(): string {
  const here = fileURLToPath(import.meta.url)
  return fileURLToPath(new URL(`./main${extname(here)}`, import.meta.url))
}

/** What is set in `env` is left as it is. */
export function nodeEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return { ...memoryEnvironment, ...env }
}
