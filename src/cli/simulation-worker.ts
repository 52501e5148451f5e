// Runs seeds in a process of its own, so that several cores share them: the file of the worker, and what starts it.
// A worker is sent one seed at a time, answers with its report, and ends when its parent is gone.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { GenerateOptions, RunReport } from '../simulation/index.ts'

type Answer = { readonly report: RunReport } | { readonly error: string }

/** A run makes much garbage and keeps little. Measured: with more room for what is new, and without threads that help
 *  to collect it, a seed costs a fifth less. */
const memoryFlags = ['--single-threaded-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

export class SimulationWorker {
  readonly #process: ChildProcess
  #isStopped = false

  constructor() {
    this.#process = fork(fileURLToPath(import.meta.url), {
      execArgv: [...process.execArgv, ...memoryFlags],
      serialization: 'advanced',
      // Ctrl-C reaches every process of a terminal; what ends a worker is its parent.
      detached: true,
    })
  }

  /** @throws Error where the worker fails to run it, or ends. One run at a time. */
  run(options: GenerateOptions): Promise<RunReport> {
    const worker = this.#process
    return new Promise((resolve, reject) => {
      const onEnd = (code: number | null, signal: string | null) => {
        reject(new Error(`the worker of seed ${options.seed} ended with ${signal ?? code}`))
      }
      worker.once('exit', onEnd)
      worker.once('message', (answer: Answer) => {
        worker.off('exit', onEnd)
        if ('report' in answer) resolve(answer.report)
        else reject(new Error(`seed ${options.seed}: ${answer.error}`))
      })
      worker.send(options, (error) => {
        if (error !== null && !this.#isStopped) reject(error)
      })
    })
  }

  stop(): void {
    this.#isStopped = true
    if (this.#process.connected) this.#process.disconnect()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  const send = (answer: Answer) => process.send?.(answer)
  process.once('disconnect', () => process.exit())
  const { run, scenarioOf } = await import('../simulation/index.ts')
  process.on('message', (options: GenerateOptions) => {
    run(scenarioOf(options)).then(
      (report) => send({ report }),
      (error: unknown) =>
        send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}
