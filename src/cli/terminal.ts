// What a command has of the outside world. Tests pass one of their own in place of the process's.

export interface Terminal {
  /** A line of result, to standard output. */
  print(line: string): void
  /** A line about what is going on, to standard error. */
  note(line: string): void
  /** Overwrites the last line of standard error; does nothing where that is no terminal. */
  progress(line: string): void
  /** Standard input. */
  input(): AsyncIterable<Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  /** From now on Ctrl-C and requests to end do not end the process: `signal` resolves with the first one's name,
   *  `insisted` when another comes well after it. */
  untilStopped(): { readonly signal: Promise<string>; readonly insisted: Promise<void> }
}

// Ctrl-C reaches every process of the terminal's group, and npm and our own starter pass it on again: signals this
// close together are one.
const echoMs = 1_500

export function processTerminal(): Terminal {
  let hasProgress = false
  const clearProgress = () => {
    if (hasProgress) process.stderr.write('\r\u001b[K')
    hasProgress = false
  }
  // `diseq … | head` closes our output: there is no one left to tell.
  process.stdout.on('error', () => process.exit(process.exitCode ?? 0))
  return {
    env: process.env,
    input: () => process.stdin,
    print(line) {
      clearProgress()
      process.stdout.write(`${line}\n`)
    },
    note(line) {
      clearProgress()
      process.stderr.write(`${line}\n`)
    },
    progress(line) {
      if (process.stderr.isTTY !== true) return
      hasProgress = true
      process.stderr.write(`\r\u001b[K${line}`)
    },
    untilStopped() {
      const signal = Promise.withResolvers<string>()
      const insisted = Promise.withResolvers<void>()
      let firstAt: number | undefined
      const onSignal = (name: string) => {
        firstAt ??= performance.now()
        signal.resolve(name)
        if (performance.now() - firstAt > echoMs) insisted.resolve()
      }
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
      return { signal: signal.promise, insisted: insisted.promise }
    },
  }
}
