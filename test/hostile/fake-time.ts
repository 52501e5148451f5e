// A clock of its own for one process: libfaketime, which stands between it and the system's clock. (Time namespaces of
// Linux move the monotonic clock alone, and setting the machine's clock would move everybody's.)
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Undefined where it is not installed. */
export function fakeTimeLibrary(): string | undefined {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib']
  const places = folders
    .filter(existsSync)
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))])
  return places.map((place) => join(place, 'faketime', 'libfaketime.so.1')).find(existsSync)
}

/** For the process whose clock is as far off as the file says.
 *  @param library as the process sees it, like the file. */
export function fakeTimeVariables(clockFile: string, library: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    // A jump is seen within a second; to look every time would cost more than telling the time.
    FAKETIME_CACHE_DURATION: '1',
    // As where a clock is set: timers go on as before.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}

/** Whole seconds. */
export function writeOffset(clockFile: string, offsetMs: number): void {
  const seconds = Math.round(offsetMs / 1_000)
  writeFileSync(clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`)
}
