// The simulator: real replicas over an imagined network, disk and clock, broken on purpose, a seed deciding how.
export { lieNames } from './byzantine/index.ts'
export { type FaultGroup, faultGroups } from './fault-schedule.ts'
export { type GenerateOptions, scenarioOf } from './generate.ts'
export { type RunOptions, type RunReport, run } from './run.ts'
export type { Fault, Liar, Scenario, Submission } from './scenario.ts'
export { type Shrunk, shrink } from './shrink.ts'
export { Tally } from './tally.ts'
