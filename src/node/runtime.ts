// What of Node's own behaviour depends on the machine. Called once, before the node allocates much.
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

/** Cores up to which helper threads of the garbage collector take more from other threads than they bring. */
const fewCores = 2

/** On few cores garbage is collected on the main thread alone: its four helpers wait for one another most of the time,
 *  and cost a fifth of the throughput of four nodes on two cores (measured). */
export function tuneRuntime(cores = availableParallelism()): void {
  if (cores <= fewCores) setFlagsFromString('--single-threaded-gc')
}
