// What processes use, from /proc; on systems without it every figure is absent.
import { readFileSync } from 'node:fs'

export interface Usage {
  /** Seconds of all its threads, user and system. */
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** What it had written to disk, as the kernel counts it. */
  readonly diskBytes: number
}

/** Of Linux: the unit of times in /proc is 1/100 s on every machine that Node runs on. */
const ticksPerSecond = 100

export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold spaces; what follows does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const residentKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
    const io = readFileSync(`/proc/${pid}/io`, 'latin1')
    const diskBytes = Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0)
    return { cpuSeconds: ticks / ticksPerSecond, residentBytes: 1024 * residentKb, diskBytes }
  } catch {
    // No such process any more, or no /proc: there is nothing to tell.
    return undefined
  }
}

/** Bytes over loopback since the machine's start: what all processes on it sent to one another. */
export function loopbackBytes(): number | undefined {
  try {
    const line = readFileSync('/proc/net/dev', 'latin1')
      .split('\n')
      .find((text) => text.trimStart().startsWith('lo:'))
    return line === undefined ? undefined : Number(line.trim().split(/[\s:]+/)[1])
  } catch {
    return undefined
  }
}
