// The load generator behind `diseq bench`: offers messages, reads them back from the chain, and says what came of it.
export { DiseqTarget } from './diseq-target.ts'
export { plotOf } from './plot.ts'
export { tableOf } from './report.ts'
export { runStage, type StageFigures, type StageOptions } from './stage.ts'
export type { Form, MeasuredProcess, Target } from './target.ts'
export { givenWorkload, randomWorkload, type Workload } from './workload.ts'
