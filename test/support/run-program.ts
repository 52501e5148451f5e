// Programs that a test waits for without holding up what else it runs.
import { spawn } from 'node:child_process'
import type { TestScope } from './processes.ts'

/** Runs a program to its end; it is killed where the test ends first. @throws where it cannot be started. */
export function runProgram(
  test: TestScope,
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    test.after(async () => void child.kill())
    const said = { out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.err += text
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}
