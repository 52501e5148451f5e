// The load generator behind `diseq bench` and `npm run bench:compare`: offers messages, reads them back from the chain,
// and says what came of it.
export { DiseqTarget } from './diseq-target.ts'
export { fillChain } from './fill.ts'
export { HttpPool } from './http-connection.ts'
export { plotOf } from './plot.ts'
export { tableOf } from './report.ts'
export { runStage, type StageFigures, type StageOptions } from './stage.ts'
export type { FinalMessages, Form, MeasuredProcess, SubmitResult, Target } from './target.ts'
export { givenWorkload, headBytes, randomWorkload, type Workload } from './workload.ts'
